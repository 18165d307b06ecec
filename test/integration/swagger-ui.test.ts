import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Api, startApi } from '../support/api.js';
import { describeWith, environment } from '../support/environment.js';

const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run'].concat([
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]);

describeWith(['chromium'], 'Swagger UI on a fresh service', () => {
  let api: Api;
  let browser: Browser;
  let page: Page;
  const strangers: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    api = await startApi({ AMALGAM_SAMPLES: 'true' });
    browser = await chromium.launch({ executablePath: environment('chromium'), args: quiet });
    page = await browser.newPage();
    page.on('request', (sent) => {
      if (!sent.url().startsWith(api.url) && !sent.url().startsWith('data:')) strangers.push(sent.url());
    });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${api.url}/docs`);
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await api.close();
  }, 30_000);

  /** Opens an operation and presses Execute on its prefilled example. */
  async function execute(method: 'post', path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const operation = page.locator('.opblock').filter({ has: page.locator(`[data-path="${path}"]`) });
    const block = operation.and(page.locator(`.opblock-${method}`));
    const press = block.getByRole('button', { name: 'Execute' });
    if (!(await press.isVisible())) await block.locator('.opblock-summary-control').click();
    const answered = page.waitForResponse((response) => new URL(response.url()).pathname === path);
    await press.click();
    const response = await answered;
    // What the page shows is what a reader believes.
    await block.locator('.live-responses-table .response-col_status', { hasText: String(response.status()) }).waitFor();
    return { status: response.status(), body: (await response.json()) as Record<string, unknown> };
  }

  test('plans the example, as often as one likes', async () => {
    for (let time = 1; time <= 2; time += 1) {
      const { status, body } = await execute('post', '/v1/plans');
      expect(status).toBe(200);
      expect(body).toHaveProperty('digest');
    }
  }, 60_000);

  test('merges the example, and finds its result the second time', async () => {
    const first = await execute('post', '/v1/merges');
    expect(first.status).toBe(202);
    await api.client.reach(String(first.body['id']), ['succeeded']);
    const second = await execute('post', '/v1/merges');
    expect(second).toMatchObject({ status: 200, body: { deduplicated: true } });
  }, 60_000);

  test('talks to nobody else, and without an error', () => {
    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
