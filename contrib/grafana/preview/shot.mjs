// One picture: serves dist/ on loopback, opens it in headless Chromium, and writes OUT.png and, beside it, OUT.json.
//
//   node shot.mjs OUT.png dashboard=/x.json ds=http://127.0.0.1:PORT from=MS to=MS [theme=light] [w=1280] [var-NAME=VALUE]...
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const PATIENCE_MS = 180_000;
const SETTLE_MS = 1200; // charts are drawn a moment after their data are there

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

const [out, ...pairs] = process.argv.slice(2);
const parameters = new URLSearchParams(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
const width = Number(parameters.get('w') ?? 1600);

// Grafana's server would serve icons and fonts; they are in the packages.
function fileFor(url) {
  const name = decodeURIComponent(url.split('?')[0]);
  const icon = name.match(/img\/icons\/(.+\.svg)$/);
  if (icon) return path.join('node_modules/@grafana/ui/dist/public/img/icons', icon[1]);
  const inter = name.match(/fonts\/inter\/Inter-(Regular|Medium)/);
  if (inter) {
    const weight = inter[1] === 'Regular' ? 400 : 500;
    return `node_modules/@fontsource/inter/files/inter-latin-${weight}-normal.woff2`;
  }
  if (/fonts\/roboto\//.test(name)) {
    return 'node_modules/@fontsource/roboto-mono/files/roboto-mono-latin-400-normal.woff2';
  }
  return path.join('dist', name === '/' ? 'index.html' : name);
}

const server = http.createServer((request, response) => {
  const file = fileFor(request.url);
  if (!fs.existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
  ],
});
try {
  const page = await browser.newPage({ viewport: { width, height: 1000 }, timezoneId: 'UTC', locale: 'en-US' });
  page.setDefaultTimeout(PATIENCE_MS);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));

  await page.goto(`http://127.0.0.1:${server.address().port}/?${parameters}`);
  await page.waitForFunction(() => window.__scene && document.querySelector('section'));
  await page.waitForLoadState('networkidle', { timeout: PATIENCE_MS });
  await page.waitForTimeout(SETTLE_MS);
  const height = await page.evaluate(() => document.querySelector('#root').scrollHeight);
  await page.setViewportSize({ width, height: height + 40 });
  await page.waitForLoadState('networkidle', { timeout: PATIENCE_MS });
  await page.waitForTimeout(SETTLE_MS);
  await page.screenshot({ path: out, fullPage: true });

  const report = await page.evaluate(() => ({
    panels: window.__report(),
    queries: window.__queries,
    unsupported: window.__unsupported,
  }));
  fs.writeFileSync(out.replace(/\.png$/, '.json'), JSON.stringify({ ...report, errors }, null, 1));
  const failed = report.queries.filter((query) => query.error).length;
  console.log(`${path.basename(out)}: ${report.queries.length} queries, ${failed} failed`);
  report.panels.filter((panel) => panel.empty).forEach((panel) => console.log(`  without data: ${panel.title}`));
  errors.forEach((error) => console.log(`  error: ${error}`));
} finally {
  await browser.close();
  server.close();
}
