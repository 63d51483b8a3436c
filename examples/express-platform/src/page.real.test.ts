import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openPage } from './browser.ts'
import { createStage } from './stage.ts'

test('a person sees drift with before and after, heals it, approves a plan and rolls back, live', async () => {
  await using stage = await createStage()
  await using page = await openPage(stage.url)
  const text = (selector: string) => page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent`)
  await page.until(`document.querySelector('#live').textContent === 'live' && document.querySelector('#history')`)
  expect(await text('#explanation')).toContain('is as declared')

  await stage.tamper({ enabled: false, rollout: 25 })
  await page.click('#look')
  await page.until(`document.querySelector('#drift')`)
  expect(await text('#drift')).toContain('/enabledfalse → true')
  await page.click('#heal')
  await page.until(`!document.querySelector('#drift')`)
  expect(await stage.read()).toMatchObject({ enabled: true })

  // Nobody touches the page: what happens elsewhere arrives by itself.
  await stage.commit(100)
  await stage.reconciler.reconcile('shop')
  await page.until(`document.querySelector('#pending')`)
  expect(await text('#pending')).toContain('/rollout25 → 100')
  await page.click('#approve')
  await page.until(`document.querySelector('#history').textContent.includes('approved by ada')`)
  expect(await stage.read()).toMatchObject({ rollout: 100 })

  await stage.tamper({ enabled: false, rollout: 100 })
  await stage.reconciler.reconcile('shop', { refresh: true })
  await page.until(`document.querySelector('#drift')`)
  const { SCREENSHOT: file } = process.env
  const screenshot = await page.screenshot()
  if (file !== undefined) await writeFile(file, screenshot)
  expect(screenshot.subarray(1, 4).toString()).toBe('PNG')

  await page.click('#heal')
  await page.until(`!document.querySelector('#drift')`)

  const [first = ''] = (await stage.repository.git('rev-list', '--reverse', 'main')).split('\n')
  await page.click(`.rollback[data-revision="${first}"]`)
  await page.until(`document.querySelector('#history code').textContent === '${first.slice(0, 8)}'`)
  expect(await stage.read()).toMatchObject({ enabled: true, rollout: 25 })
  expect(page.problems).toEqual([])
})
