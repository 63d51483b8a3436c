export {
  type ControlPlane,
  type ControlPlaneBinaries,
  type ControlPlaneOptions,
  type TestUser,
  findControlPlane,
  startControlPlane,
} from './testing/control-plane.ts'
