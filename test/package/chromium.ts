/** A headless Chromium that loads one page of ours from loopback and knows no other host. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIMEOUT_MS = 60_000;

const program = ["chromium", "chromium-headless-shell", "google-chrome"]
  .map((name) => Bun.which(name))
  .find((path) => path !== null);

/** Why there is no browser here; undefined when there is one. CI has to have it. */
export const obstacle = lacking();

function lacking(): string | undefined {
  if (program !== undefined) return undefined;
  if (process.env.CI !== undefined) throw new Error("chromium is not installed");
  return "chromium is not installed";
}

/** Lets nothing but the page cause traffic, and keeps everything it writes in `profile`. */
function commandOf(profile: string, url: URL): string[] {
  return [
    ...["setpriv", "--pdeathsig", "KILL", program as string],
    ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    ...["--no-first-run", "--disable-background-networking", "--disable-component-update"],
    ...["--disable-default-apps", "--disable-sync", "--disable-breakpad", "--no-pings"],
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    `--user-data-dir=${profile}`,
    url.href,
  ];
}

/** What the page tells the server by a POST to `result`. */
type Told = { readonly value: unknown } | { readonly error: string };

/** `exports` of the installed package, so that the page's bare names lead where Node.js's do. */
async function importMap(folder: string): Promise<string> {
  const place = "/node_modules/demibun/";
  const manifest = await Bun.file(`${folder}${place}package.json`).json();
  const imports: Record<string, string> = {};
  for (const [subpath, conditions] of Object.entries<Record<string, string>>(manifest.exports)) {
    if (conditions.default === undefined) continue;
    imports[`demibun${subpath.slice(1)}`] = new URL(conditions.default, `file://${place}`).pathname;
  }
  return JSON.stringify({ imports });
}

function page(imports: string, program: string): string {
  return `<!doctype html>
<title>${program}</title>
<script type="importmap">${imports}</script>
<script type="module">
  let told;
  try {
    const { run } = await import("/${program}.js");
    told = { value: await run() };
  } catch (error) {
    told = { error: String(error?.stack ?? error) };
  }
  await fetch("/result", { method: "POST", body: JSON.stringify(told) });
</script>
`;
}

/** Runs a program of an installed package's folder in a page; what its `run` returned. */
export async function runInChromium(folder: string, program: string): Promise<unknown> {
  const html = page(await importMap(folder), program);
  const { promise: told, resolve } = Promise.withResolvers<Told>();
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/") return new Response(html, { headers: { "content-type": "text/html" } });
      if (pathname === "/result") {
        resolve((await request.json()) as Told);
        return new Response();
      }
      const file = Bun.file(`${folder}${pathname}`);
      return (await file.exists()) ? new Response(file) : new Response(undefined, { status: 404 });
    },
  });
  const result = await withBrowser(server.url, told);
  if ("error" in result) throw new Error(`in the page: ${result.error}`);
  return result.value;
}

async function withBrowser(url: URL, told: Promise<Told>): Promise<Told> {
  const profile = mkdtempSync(join(tmpdir(), "demibun-chromium-"));
  const browser = Bun.spawn(commandOf(profile, url), {
    env: { ...process.env, HOME: profile, TMPDIR: profile, XDG_RUNTIME_DIR: profile },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const words = new Response(browser.stderr).text();
  try {
    const ended = browser.exited.then(async () => {
      throw new Error(`chromium ended without a result: ${await words}`);
    });
    return await Promise.race([told, ended]);
  } finally {
    browser.kill("SIGKILL");
    await browser.exited;
    await words;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
