export type { ExitCode, Io } from './io.ts'
export { type ConfigRequest, type GitOpsConfig, defineConfig } from './config.ts'
export { runCli } from './run-cli.ts'
