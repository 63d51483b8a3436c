export { type PortableGitSourceOptions, portableGitSource } from './source/git/portable/source.ts'
