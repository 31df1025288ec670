export interface Column {
  title: string
  /** Numbers align right. */
  right?: boolean
}

/** Aligned columns, two spaces apart; the last one is cut where a line would be longer than `width`. */
export class Table {
  readonly #columns: readonly Column[]
  readonly #widths: number[]
  readonly #lineWidth: number

  /** `lineWidth`: of the terminal; Infinity where the output is none. */
  constructor(columns: readonly Column[], lineWidth: number) {
    this.#columns = columns
    this.#widths = columns.map(({ title }) => title.length)
    this.#lineWidth = lineWidth
  }

  header(): string {
    return this.#line(this.#columns.map(({ title }) => title))
  }

  /** Widens columns to what these rows need, for them and those after. */
  rows(rows: readonly (readonly string[])[]): string {
    this.fit(rows)
    return rows.map((row) => this.#line(row)).join('')
  }

  fit(rows: readonly (readonly string[])[]): void {
    for (const row of rows)
      for (const [index, text] of row.entries()) this.#widths[index] = Math.max(this.#widths[index]!, text.length)
  }

  #line(cells: readonly string[]): string {
    const last = cells.length - 1
    let line = ''
    for (const [index, text] of cells.entries()) {
      const width = this.#widths[index]!
      if (this.#columns[index]?.right === true) line += text.padStart(width)
      else line += index === last ? text : text.padEnd(width)
      if (index !== last) line += '  '
    }
    return `${line.length > this.#lineWidth ? `${line.slice(0, Math.max(0, this.#lineWidth - 1))}…` : line}\n`
  }
}

/** Control characters would move the cursor or worse: shown as escapes. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) =>
    character === '\n'
      ? '\\n'
      : character === '\t'
        ? '\\t'
        : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
