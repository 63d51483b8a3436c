// A plain page over the API: everything it shows is set as text, never as markup.
const $ = (id) => document.getElementById(id)
let chosen

/** An element with properties and children; strings become text. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

async function ask(path, body) {
  const options = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const response = await fetch(`/api/applications${path}`, options)
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText)
  return answer
}

/** Runs what a person asked for; what goes wrong is shown. */
async function attempt(work) {
  $('problem').hidden = true
  try {
    await work()
    await refresh()
  } catch (error) {
    $('problem').textContent = error.message
    $('problem').hidden = false
  }
}

async function refresh() {
  const list = await ask('')
  chosen ??= list[0]?.name
  $('applications').replaceChildren(...list.map(applicationButton))
  if (chosen !== undefined) showDetails(await ask(`/${encodeURIComponent(chosen)}`))
}

function applicationButton({ name, alignment, health }) {
  const choose = () => attempt(() => void (chosen = name))
  const button = element(
    'button',
    { onclick: choose },
    element('strong', {}, name),
    ' ',
    mark(alignment),
    ' ',
    mark(health),
  )
  button.setAttribute('aria-current', String(name === chosen))
  return button
}

const mark = (status) => element('span', { className: status }, status)

function showDetails({ name, explanation, state, plan, history }) {
  $('details').replaceChildren(
    element('p', { id: 'explanation' }, explanation.sentence),
    element('p', {}, element('em', {}, `Next: ${explanation.next}`)),
    element('button', { id: 'look', onclick: () => attempt(() => ask(`/${name}/reconcile`, {})) }, 'Look again'),
    ...section(
      'Drift: what is there → what is declared',
      'drift',
      state.drift.flatMap((drift) => fieldRows(drift.ref, drift.fields, drift.actor?.name ?? '')),
      [['heal', 'Heal', () => ask(`/${name}/reconcile`, { heal: true })]],
    ),
    ...section(
      'Waits for an approval',
      'pending',
      state.pending ? plan.changes.flatMap((c) => fieldRows(c.ref, c.fields, c.action)) : [],
      [['approve', 'Approve', () => ask(`/${name}/approve`, { fingerprint: plan.fingerprint })]],
    ),
    ...section(
      'History',
      'history',
      history.map((run) => historyRow(name, run)),
      [],
    ),
  )
}

function section(title, id, rows, actions) {
  if (rows.length === 0) return []
  const buttons = actions.map(([key, text, work]) => element('button', { id: key, onclick: () => attempt(work) }, text))
  return [element('h2', {}, title), element('table', { id }, element('tbody', {}, ...rows)), ...buttons]
}

function fieldRows(ref, fields, note) {
  return fields.map(({ path, before, after }) =>
    element(
      'tr',
      {},
      element('td', {}, `${ref.kind} ${ref.name}`),
      element('td', {}, element('code', {}, path)),
      element('td', {}, element('del', {}, shown(before)), ' → ', element('ins', {}, shown(after))),
      element('td', {}, note),
    ),
  )
}

function shown(value) {
  if (value === undefined) return 'nothing'
  return value?.redacted === undefined ? JSON.stringify(value) : 'a secret'
}

function historyRow(name, { endedAt, outcome, revision, approvedBy }) {
  const back = () => ask(`/${name}/rollback`, { to: revision.id, reason: 'Asked for on the page' })
  const button = element('button', { className: 'rollback', onclick: () => attempt(back) }, 'Roll back to this')
  button.dataset.revision = revision?.id ?? ''
  return element(
    'tr',
    {},
    element('td', {}, new Date(endedAt).toISOString().slice(0, 19).replace('T', ' ')),
    element('td', {}, mark(outcome)),
    element('td', {}, element('code', {}, revision?.id.slice(0, 8) ?? ''), ` ${revision?.message ?? ''}`),
    element('td', {}, approvedBy === undefined ? '' : `approved by ${approvedBy}`),
    element('td', {}, ...(outcome === 'applied' && revision ? [button] : [])),
  )
}

let due
/** Many events at once are one look. */
function refreshSoon() {
  due ??= setTimeout(() => {
    due = undefined
    void attempt(async () => {})
  }, 100)
}

const events = new EventSource('/api/events')
events.onopen = () => {
  $('live').textContent = 'live'
  refreshSoon()
}
events.onerror = () => ($('live').textContent = 'connecting')
events.onmessage = refreshSoon
