// How API Extractor compiles an entry point of a built package, for the reports and for the reference pages alike.
export function compilerFor(mainEntryPointFilePath) {
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    skipLibCheck: true,
    lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable', 'esnext.disposable'],
    types: ['node'],
  }
  return { overrideTsconfig: { compilerOptions, files: [mainEntryPointFilePath] } }
}
