/** How the report page looks. Light and dark have their own colours, each with a contrast of at least 4.5 to 1 where it is read. */
export const reportStyle = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--card:#f6f8fa;--bar:#0a63c9;--dark:#a40e26;--track:#eaeef2;--good:#116329;--bad:#a40e26;--data:#7a3e00;--traffic:#6639ba}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4af;--line:#3d444d;--paper:#0d1117;--card:#151b23;--bar:#4c9aff;--dark:#ff7b72;--track:#212830;--good:#56d364;--bad:#ff7b72;--data:#f0b72f;--traffic:#d2a8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:64rem;margin:0 auto;padding:1rem}
h1,h2,p,dl,ul,ol{margin:0}
h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 .5rem}
h2{font-size:1.15rem;margin:0 0 .5rem}
section{margin-top:1.75rem}
p,li,dd,h1,h2{overflow-wrap:anywhere}
.run,.note,.about,small{color:var(--soft)}
.run,.note,.about{font-size:.9rem}
small{font-size:.8em;font-weight:400}
.summary{font-size:1.1rem}
.good{color:var(--good)}.bad{color:var(--bad)}
.figures{display:grid;gap:.75rem;margin-top:1.25rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr))}
.figure{margin:0;padding:.9rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
.figure h2{font-size:.9rem;font-weight:600;color:var(--soft);margin:0}
.value{font-size:1.35rem;font-weight:650;line-height:1.3;margin:.1rem 0 .35rem}
.value small{white-space:nowrap}
.meter{height:.45rem;margin:.35rem 0 .5rem;background:var(--track);border-radius:1rem;overflow:hidden}
.meter span{display:block;height:100%;background:var(--good)}
.missed span{background:repeating-linear-gradient(45deg,var(--bad) 0 6px,transparent 6px 10px)}
.urgent{padding:.75rem 1rem;border:1px solid var(--bad);border-left-width:.4rem;border-radius:.4rem}
.note{margin-top:.75rem}
ul{padding-left:1.2rem}li+li{margin-top:.35rem}
dl div{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
dt{flex:0 0 100%;font-weight:600;overflow-wrap:anywhere}dd{margin:0;flex:1 1 17rem;min-width:0}
section>p+dl,section>p+ul,section>p+table,dl+ul{margin-top:.5rem}
table{display:block;width:100%;font-variant-numeric:tabular-nums}
tbody{display:block}thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tr{display:flex;flex-wrap:wrap;gap:0 .75rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
th,td{text-align:left;vertical-align:top;min-width:0;overflow-wrap:anywhere;padding:0}
th{font-weight:600}
details table{font-size:.9rem;margin-top:.5rem}
summary{cursor:pointer;padding:.6rem 0;min-height:2.75rem}
summary:focus-visible{outline:2px solid var(--bar);outline-offset:2px}
.course{position:relative;margin-bottom:.75rem;font-variant-numeric:tabular-nums}
.course.marked{padding-top:3.2rem}
.course ol{list-style:none;padding:0;position:relative}
.lane{display:grid;grid-template-columns:1fr auto auto;gap:0 .6rem;padding:.3rem 0;margin:0;align-items:baseline}
.name{font-weight:600}.began,.scale{color:var(--soft)}
.track{grid-column:1/-1;position:relative;height:.8rem;background:var(--track);border-radius:.2rem;overflow:hidden}
.bar{position:absolute;top:0;bottom:0;min-width:3px;background:var(--bar);border-radius:.2rem}
.dark .bar{background:repeating-linear-gradient(45deg,var(--dark) 0 6px,transparent 6px 10px)}
.tick{position:absolute;top:0;bottom:0;width:2px;background:var(--traffic)}.tick.data{background:var(--data)}
.ended-here .bar{background:var(--bad)}
.over{position:absolute;inset:0 0 1.6rem;pointer-events:none}
.mark{position:absolute;top:0;color:var(--traffic);font-size:.9rem;font-weight:600}
.mark.traffic{top:1.5rem}.mark.data{color:var(--data)}
.mark span{position:absolute;left:-.4rem;top:0;white-space:nowrap;line-height:1.5rem}
.late span{left:auto;right:-.45rem}
.scale{display:flex;justify-content:space-between;font-size:.9rem;height:1.6rem;align-items:end}
@media(min-width:48rem){
main{padding:2rem}
table{display:table;border-collapse:collapse}thead{display:table-header-group;position:static;clip-path:none}tbody{display:table-row-group}tr{display:table-row}
th,td{padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}thead th{color:var(--soft);font-size:.9rem}
dt{flex-basis:15rem}
.lane{grid-template-columns:13rem 1fr 6.25rem 9.25rem;gap:0;padding:.2rem 0;align-items:center}
.name,.track{grid-row:1}.name{grid-column:1}.track{grid-column:2}.began{grid-column:3;padding-left:.75rem}.took{grid-column:4}
.over,.scale{margin-left:13rem;margin-right:15.5rem}
.mark{bottom:0;border-left:2px dashed var(--traffic)}.mark.data{border-color:var(--data)}.tick{display:none}
}
@media print{
body{font-size:10pt}main{max-width:none;padding:0}
:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--card:#fff;--track:#eee;--bar:#0a63c9;--dark:#a40e26;--good:#116329;--bad:#a40e26;--data:#7a3e00;--traffic:#6639ba}
.bar,.track,.meter,.meter span{print-color-adjust:exact;-webkit-print-color-adjust:exact}
section,.lane,tr{break-inside:avoid}h2{break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}
}
`;
