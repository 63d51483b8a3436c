export {
  type ControlPlane,
  type ControlPlaneBinaries,
  type ControllerName,
  type ControlPlaneOptions,
  type TestUser,
  findControlPlane,
  startControlPlane,
} from './testing/control-plane.ts'
export { simulatedNode } from './testing/kubelet.ts'
export {
  type FaultyRequest,
  type MemoryApiServer,
  type MemoryApiServerOptions,
  memoryApiServer,
  type ServerFault,
} from './testing/api-server/server.ts'
export type { Admission, AdmissionDenial, AdmissionReview } from './testing/api-server/state.ts'
export type { Answer } from './testing/api-server/answer.ts'
