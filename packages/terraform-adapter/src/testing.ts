export { type CloudFault, type CloudRecord, type FakeCloud, fakeCloud } from './testing/fake-cloud.ts'
export {
  type FakeCloudProvider,
  type FakeCloudProviderOptions,
  fakeCloudProvider,
  fakeProviderSource,
} from './testing/fake-cloud-provider.ts'
export { findBinary, installedBinary } from './testing/find-binary.ts'
export type { Cancellation, ProviderBehaviour } from './testing/provider.ts'
export { type RecordedCommand, recordTerraform, scriptedTerraform } from './testing/scripted-terraform.ts'
