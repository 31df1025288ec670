import { mergedPath, segmentPath } from '../lsm/file-names.js'

export { hintPath, keydirPath } from '../lsm/file-names.js'

/** `merged`: written by a merge; else by the log. */
export const dataPath = (directory: string, fileNumber: number, merged: boolean) =>
  merged ? mergedPath(directory, fileNumber) : segmentPath(directory, fileNumber)
