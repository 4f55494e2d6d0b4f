/** What runs in a report's page: reads the data that stands in it and shows it. */
import plotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import type { RunReport } from "../run-report";
import type { SwarmReport } from "../swarm-report";
import { element } from "./dom";
import { applyPalette, onThemeChange } from "./palette";
import { runPage } from "./run-page";
import style from "./style.css" with { type: "text" };
import { swarmPage } from "./swarm-page";

const data = document.querySelector("#report")?.textContent ?? "";
const report = JSON.parse(data) as RunReport | SwarmReport;
const main = element("main", {});

document.head.append(element("style", {}, plotStyle + style));
document.body.append(main);
// Before the plots, which read the colours, are told.
onThemeChange(applyPalette);
applyPalette();
const parts = report.schema === "demibun/run-report" ? runPage(report) : swarmPage(report);
main.append(...parts.filter((part) => part !== undefined));
