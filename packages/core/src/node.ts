export { type DirectorySourceOptions, directorySource } from './source/directory.ts'
export type { DirectoryLimits } from './source/directory-scan.ts'
export {
  type ToolLimits,
  type ToolResult,
  type ToolRun,
  inheritedVariables,
  runTool,
  toolLimits,
} from './runtime/tool/tool.ts'
export { type PrivateFolder, privateFolder } from './runtime/tool/folder.ts'
export { type NodeListener, toNodeListener } from './reconciler/webhook/node-listener.ts'
export { type FileLedgerOptions, fileLedger } from './ledger/file/file.ts'
export type { Files } from './ledger/file/files.ts'
