import DefaultTheme from 'vitepress/theme'
import { onMounted, watch } from 'vue'
import { useRoute } from 'vitepress'

/** The default theme; diagrams are drawn in the browser, from the site itself. */
export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute()
    const draw = async () => {
      const nodes = document.querySelectorAll('pre.mermaid:not([data-processed])')
      if (nodes.length === 0) return
      const { default: mermaid } = await import('mermaid')
      const theme = document.documentElement.classList.contains('dark') ? 'dark' : 'neutral'
      mermaid.initialize({ startOnLoad: false, theme })
      await mermaid.run({ nodes })
    }
    onMounted(draw)
    watch(() => route.path, () => setTimeout(draw), { flush: 'post' })
  },
}
