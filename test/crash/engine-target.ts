import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { StoreKind } from '@caskade/engine'
import type { CrashTarget, RunningTarget, Writer } from './crash-target.js'
import { acknowledgementFd, type EngineAnswer, type EngineRequest } from './engine-child.js'
import type { RoundPlan } from './round-plan.js'

/** An answer that takes longer is a hang. */
const answerMsMax = 120_000
const processEnded = 'the process ended instead of answering'
const childPath = fileURLToPath(new URL('engine-child-main.js', import.meta.url))

class EngineProcess implements RunningTarget {
  readonly #child: ChildProcess
  readonly #acknowledgements: Readable
  readonly #closed: Promise<unknown>

  readonly #store: StoreKind

  constructor(store: StoreKind) {
    this.#store = store
    this.#child = fork(childPath, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'ipc'] })
    this.#acknowledgements = this.#child.stdio[acknowledgementFd] as Readable
    this.#acknowledgements.resume() // unread, it would hold back `close`
    this.#closed = once(this.#child, 'close')
  }

  async ask(request: EngineRequest): Promise<Map<string, string> | undefined> {
    const answered = new Promise<EngineAnswer>((resolve) => {
      this.#child.once('message', (answer) => resolve(answer as EngineAnswer))
    })
    const ended = this.#closed.then((): EngineAnswer => ({ type: 'failed', message: processEnded }))
    this.#child.send(request, () => {}) // a dead child answers through `closed`
    const timer = request.type === 'write' ? undefined : setTimeout(() => this.#child.kill('SIGKILL'), answerMsMax)
    const answer = await Promise.race([answered, ended])
    clearTimeout(timer)
    if (answer.type === 'failed') throw new Error(answer.message)
    return answer.records
  }

  open(directory: string, { memtableBytes, durability, mmap }: RoundPlan): Promise<unknown> {
    const options = {
      store: this.#store,
      memtableBytes,
      dataFileBytes: memtableBytes,
      durability,
      mmap,
      syncIntervalMs: 50,
    }
    return this.ask({ type: 'open', directory, options })
  }

  async readAll(): Promise<Map<string, string>> {
    return (await this.ask({ type: 'read-all' }))!
  }

  /** The engine has one writing thread: the first writer is it. Its operations are made here again and counted off. */
  async write([writer]: readonly Writer[], plan: RoundPlan): Promise<string[]> {
    const { workload, ledger } = writer!
    this.#acknowledgements.on('data', (chunk: Buffer) => {
      for (let i = 0; i < chunk.length; i++) {
        ledger.issue(workload.next())
        ledger.acknowledge()
      }
    })
    const request: EngineRequest = { type: 'write', workload: workload.options, depthMax: plan.depthMax }
    const failure = await this.ask(request).then(
      () => 'stopped writing',
      (error: Error) => error.message,
    )
    await this.#closed
    for (let i = 0; i < plan.depthMax; i++) ledger.issue(workload.next())
    return failure === processEnded ? [] : [failure]
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  async close(): Promise<void> {
    await this.ask({ type: 'close' })
    const [code, signal] = (await this.#closed) as [number | null, string | null]
    if (code !== 0) throw new Error(`after close the process ended with ${code ?? signal}`)
  }
}

/** A process that embeds the engine, with this backend. */
export const engineTarget = (store: StoreKind): CrashTarget => ({
  async killDuringStart(directory, plan, afterMs) {
    const engine = new EngineProcess(store)
    engine.open(directory, plan).catch(() => {}) // it is killed on purpose
    await delay(afterMs)
    await engine.kill()
  },
  async start(directory, plan) {
    const engine = new EngineProcess(store)
    try {
      await engine.open(directory, plan)
      return engine
    } catch (error) {
      await engine.kill()
      throw error
    }
  },
})
