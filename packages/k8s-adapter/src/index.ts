export { type FilesRendererOptions, filesRenderer } from './declare/files.ts'
export { type RenderFunction, functionRenderer } from './declare/function-renderer.ts'
export type { FolderLimits } from './declare/folder.ts'
export { type HelmOptions, helmRenderer } from './declare/helm.ts'
export { type KustomizeOptions, kustomizeRenderer } from './declare/kustomize.ts'
export type { NamespacePolicy } from './declare/policy.ts'
export { type HealthOptions, healthOf } from './assess/health.ts'
export { kstatus } from './assess/kstatus.ts'
export type { HealthCheck, KStatus, KStatusOptions, Verdict } from './assess/rule.ts'
export type { ConflictPolicy } from './apply/conflict.ts'
export { type HttpClientOptions, type Impersonation, httpClient } from './client/http.ts'
export { type KubeConfigOptions, inClusterOptions, kubeConfigFile, kubeConfigOptions } from './client/kubeconfig.ts'
export type { KubeConfigObject } from './client/kubeconfig-object.ts'
export type { RefusalCause, RefusalDetails } from './client/errors.ts'
export { refusalOf } from './client/errors.ts'
export type { KubeAnswer, KubeClient, KubeRequest } from './client/port.ts'
export { kubernetesControllers, type StrictOptions } from './observe/extras.ts'
export { type ClusterOptions, type KubernetesCluster, kubernetesCluster } from './target/cluster.ts'
export type { OutputSource } from './target/outputs.ts'
export {
  type KubernetesTargetCluster,
  type KubernetesTargetOptions,
  kubernetesTarget,
  protectedKinds,
} from './target/target.ts'
