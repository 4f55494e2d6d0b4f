/** A report as one HTML file that needs nothing else: no network, no server, no other file. */
import type { RunReport } from "./run-report";
import type { SwarmReport } from "./swarm-report";

/**
 * `script` is page/main.ts, bundled for browsers. The data stands in the page as JSON, and the
 * script makes text of it, never markup; the policy keeps the page from loading anything.
 */
export function htmlReport(report: RunReport | SwarmReport, script: string): string {
  const title =
    report.schema === "demibun/run-report"
      ? `demibun: run ${report.result.seed} ${report.result.verdict}`
      : `demibun: swarm from seed ${report.swarm.seed}`;
  const policy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeText(title)}</title>
</head>
<body>
<noscript>${escapeText(title)}. The plots need JavaScript; the data is in this file as JSON.</noscript>
<script type="application/json" id="report">${escapeJson(report)}</script>
<script>${script.replaceAll(/<(?=\/script|!--)/gi, "\\x3c")}</script>
</body>
</html>
`;
}

/** No name in the data can end the element that it stands in. */
function escapeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
