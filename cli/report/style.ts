/** The styles of the report: for screens, light and dark, narrow and wide, and for paper. */
import { patternStyles } from "./patterns.ts";

const light = `--paper:#fff;--ink:#1c2430;--quiet:#566070;--rule:#d5dbe3;--wash:#f4f6f9;--link:#0b4f9e;
--bad:#b3261e;--bad-wash:#fdecea;--warn:#7a4b00;--warn-wash:#fdf3df;--good:#17623a;--bar-edge:#5d6b7c;
--f-pre-active:#eef2f7;--s-pre-active:#7b8899;--f-active:#1f5c99;--on-active:#fff;
--f-draining:#dce9f6;--s-draining:#5b8fc4;--f-retained:#e7f0f8;--s-retained:#6f9ac4;
--f-disabled:#e4e6ea;--s-disabled:#9aa3af;--f-pending-deletion:#fbe9d0;--s-pending-deletion:#cf9442;
--f-reactivating:#e9e0f5;--s-reactivating:#8a68bd;--future:#f4f6f9;--halo:#fff`;

const dark = `--paper:#11161d;--ink:#e4e8ee;--quiet:#a3adba;--rule:#333d4a;--wash:#1a212b;--link:#8fc1f5;
--bad:#ff9d94;--bad-wash:#3a1a19;--warn:#f2c572;--warn-wash:#33280f;--good:#86d6a5;--bar-edge:#8d99a8;
--f-pre-active:#222b36;--s-pre-active:#9aa7b8;--f-active:#4f97dc;--on-active:#08121d;
--f-draining:#1b2f45;--s-draining:#4b80b8;--f-retained:#1a2a3b;--s-retained:#46719c;
--f-disabled:#2a3038;--s-disabled:#5e6977;--f-pending-deletion:#3a2c15;--s-pending-deletion:#9c6f2e;
--f-reactivating:#30264a;--s-reactivating:#8063b3;--future:#171e27;--halo:#11161d`;

const page = `*{box-sizing:border-box}
html{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%;color-scheme:light dark}
body{margin:0;background:var(--paper);color:var(--ink)}
header,main,footer,nav{max-width:71rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.75rem}
h1{font-size:1.9rem;line-height:1.2;letter-spacing:-.015em;margin:0 0 .35rem;font-weight:650}
h2{font-size:1.3rem;line-height:1.3;margin:3.25rem 0 .6rem;padding-top:1.1rem;border-top:1px solid var(--rule);font-weight:650;letter-spacing:-.008em}
h3{font-size:1.02rem;margin:0;font-weight:650;overflow-wrap:anywhere}
p{margin:.55rem 0;max-width:46rem}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;font-size:.86em;overflow-wrap:anywhere}
.skip{position:absolute;left:-200vw;top:0}
.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.4rem .8rem;z-index:1}
.quiet,.lead{color:var(--quiet)}
.lead{margin:0;max-width:none}
.none{color:var(--quiet);font-style:italic}
.bad{color:var(--bad);font-weight:650}.warn{color:var(--warn);font-weight:650}.good{color:var(--good);font-weight:650}
.alert{border:1px solid var(--bad);border-left-width:6px;background:var(--bad-wash);padding:.7rem 1rem;margin:1.4rem 0 0}
.alert h2{border:0;margin:0;padding:0;font-size:1.05rem;color:var(--bad)}
.alert ul{margin:.4rem 0 .2rem;padding-left:1.2rem}
.about{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:1.1rem 0 0}
.about dt{color:var(--quiet)}.about dd{margin:0;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.6rem,1fr));margin:1.5rem 0 0;border:1px solid var(--rule);border-radius:6px;overflow:hidden;gap:1px;background:var(--rule)}
.figures div{background:var(--paper);padding:.7rem .9rem .65rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.figures dt{color:var(--quiet);font-size:.8rem;line-height:1.3}
.figures dd{margin:0;font-size:1.65rem;line-height:1.25;font-weight:600;font-variant-numeric:tabular-nums}
nav ol{list-style:none;padding:0;margin:1.3rem 0 0;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem}
.scroll{overflow-x:auto;margin:.9rem 0;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.86rem;line-height:1.42;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet);font-size:.84rem;padding:0 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.36rem .9rem .36rem 0;border-bottom:1px solid var(--rule)}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;color:var(--quiet);border-bottom:1.5px solid var(--quiet);vertical-align:bottom}
tbody th{font-weight:600}th code,.sub{font-weight:400}
td.when{white-space:nowrap}td.words{min-width:12rem;overflow-wrap:anywhere}td.id,td.hash{overflow-wrap:anywhere;min-width:11rem}
.key{margin:0 0 1.7rem;padding-top:.4rem}
.key-head{display:flex;flex-wrap:wrap;gap:.1rem .9rem;align-items:baseline}
.key-head p{margin:0;color:var(--quiet);font-size:.88rem;max-width:none}
.picture{overflow-x:auto;margin:.35rem 0 .15rem}
.timeline{display:block;width:100%;min-width:44rem;height:auto}
.swatch{display:block}
.defs{position:absolute}
details{margin:.1rem 0 0}
summary{cursor:pointer;color:var(--link);font-size:.88rem;padding:.15rem 0;width:max-content;max-width:100%}
footer{margin-top:3rem;padding-bottom:3rem;color:var(--quiet);font-size:.88rem}`;

const picture = `.timeline text{font-size:11.5px;fill:var(--ink)}
.timeline .tick{fill:var(--quiet);font-size:11px}
.grid{stroke:var(--rule);stroke-width:1;fill:none}
.future{fill:var(--future)}
.now{stroke:var(--ink);stroke-width:1.4;stroke-dasharray:4 2.5;fill:none}
.timeline .now-label{font-size:10.5px;font-weight:600;paint-order:stroke;stroke:var(--halo);stroke-width:3px}
.timeline .version{font-weight:650;font-size:12.5px}
.timeline .key-id{fill:var(--quiet);font-size:11px;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.timeline .in-bar{font-size:11.5px;pointer-events:none;paint-order:stroke;stroke:var(--halo);stroke-width:3.5px;stroke-linejoin:round}
.timeline .on-active{fill:var(--on-active);stroke:none;font-weight:600}
.limit{fill:var(--ink);stroke:var(--paper);stroke-width:.8}
.overdue{fill:var(--bad)}
.compromised path{fill:var(--bad);stroke:var(--paper)}
.compromised text,.timeline .compromised text{fill:var(--paper);font-weight:700;font-size:11px;text-anchor:middle}`;

/** Paper unfolds the folded parts of the screen, and wraps the scrolling ones. */
const paper = `@media print{
@page{margin:14mm 12mm}
html{font-size:10.5px}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
header,main,footer,nav{max-width:none;padding:0}
nav,.skip{display:none}
.scroll,.picture{overflow:visible}
.timeline{min-width:0}
details::details-content{content-visibility:visible;display:block;block-size:auto}
summary{color:var(--quiet);list-style:none}
h2,h3,caption,thead,summary,.key-head,.picture{break-after:avoid}
tr,svg,.alert,.figures{break-inside:avoid}
thead{display:table-header-group}
td.words,td.id,td.hash{min-width:0;overflow-wrap:anywhere}
td.when{white-space:normal}
a{color:inherit;text-decoration:none}
}`;

export function styles(): string {
  return `:root{${light}}
@media screen and (prefers-color-scheme:dark){:root{${dark}}}
${page}
${picture}
${patternStyles()}
${paper}`;
}
