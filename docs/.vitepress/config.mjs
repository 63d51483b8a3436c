import { readFileSync, readdirSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const root = new URL('..', import.meta.url)

/** The pages of a folder in the order given, then the rest by name; the text is the heading of the page. */
function pagesOf(folder, first = []) {
  const names = readdirSync(new URL(`${folder}/`, root)).filter((name) => name.endsWith('.md') && name !== 'index.md')
  const ordered = [...first.map((name) => `${name}.md`), ...names.toSorted()]
  return [...new Set(ordered)].map((name) => ({ text: headingOf(`${folder}/${name}`), link: `/${folder}/${name.slice(0, -3)}` }))
}

function headingOf(path) {
  return /^# (.+)$/m.exec(readFileSync(new URL(path, root), 'utf8'))?.[1] ?? path
}

const concepts = [
  'state-store', 'revision', 'desired-state', 'actual-state', 'drift', 'plan', 'policy', 'ledger',
  'apply', 'health', 'feedback', 'target', 'application', 'reconciliation',
]
const guides = [
  'embed', 'write-an-adapter', 'test-offline', 'command-line', 'kubernetes', 'terraform', 'tenants-and-clusters', 'many-processes', 'a-million-applications',
  'approvals', 'rollback', 'operate', 'secrets', 'migrate',
]

export default defineConfig({
  title: 'gitops-sdk',
  description: 'GitOps reconciliation as a library',
  cleanUrls: true,
  lastUpdated: false,
  markdown: {
    config: (md) => {
      const { fence } = md.renderer.rules
      md.renderer.rules.fence = (tokens, index, ...rest) =>
        tokens[index].info.trim() === 'mermaid'
          ? `<pre class="mermaid" v-pre>${md.utils.escapeHtml(tokens[index].content)}</pre>`
          : fence(tokens, index, ...rest)
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Concepts', link: '/concepts/' },
      { text: 'Guides', link: '/guides/embed' },
      { text: 'Reference', link: '/reference/errors' },
      { text: 'Comparison', link: '/comparison' },
    ],
    sidebar: [
      { text: 'Start', items: [{ text: 'Getting started', link: '/getting-started' }, { text: 'Comparison', link: '/comparison' }] },
      { text: 'Concepts', items: [{ text: 'Overview', link: '/concepts/' }, ...pagesOf('concepts', concepts)] },
      { text: 'Guides', items: pagesOf('guides', guides) },
      {
        text: 'Reference',
        items: [
          { text: 'Error codes', link: '/reference/errors' },
          { text: 'Options', link: '/reference/options' },
          { text: 'API', collapsed: true, items: pagesOf('reference/api') },
        ],
      },
      { text: 'Decisions', collapsed: true, items: pagesOf('decisions') },
    ],
  },
})
