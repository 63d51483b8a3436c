// Reading declared files: documents, schemas, patches, encrypted values. An entry of its own, because what it needs
// (parsers of YAML and of JSON Schema) takes most of the time of loading the library.
export { type DecodeOptions, type Document, decodeDocuments, defaultDecodeLimits } from './desired/decode.ts'
export type { DecodeLimits } from './desired/reading.ts'
export type { Position } from './desired/text.ts'
export { type PatchOperation, type ResourcePatch, applyJsonPatch, patchResources } from './desired/patch.ts'
export { type SchemaCheck, type SchemaOptions, schemaCheck } from './desired/schema.ts'
export { type AgeDecrypter, type AgeLibrary, type AgeOptions, ageKeys } from './desired/sops/age.ts'
export type { DataKeyProvider } from './desired/sops/decrypt.ts'
export { type SopsOptions, decryptSops } from './desired/sops/source.ts'
