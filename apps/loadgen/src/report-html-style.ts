export const reportStyle = `
:root { --page: #f6f7f9; --card: #fff; --ink: #1b2430; --dim: #5d6b7c; --line: #dfe4ea; --bad: #c22f2f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --card: #1a2028; --ink: #e4e9f0; --dim: #93a1b3; --line: #2c3541; --bad: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { font-size: 24px; margin: 0; }
h2 { font-size: 18px; margin: 32px 0 12px; }
h2::first-letter { text-transform: uppercase; }
header p { margin: 4px 0 0; color: var(--dim); }
main { padding-bottom: 48px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 16px; }
.tiles div, figure, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tiles div { padding: 12px 14px; }
dt { color: var(--dim); font-size: 13px; }
dd { margin: 0; font-size: 19px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bad dd { color: var(--bad); }
figure { margin: 0 0 16px; padding: 14px 16px 8px; }
figcaption, caption { font-weight: 600; margin-bottom: 8px; text-align: left; }
.plot { width: 100%; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 16px; align-items: start; }
.card { padding: 12px 16px; overflow-x: auto; }
table { width: 100%; border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
.wide { grid-column: 1 / -1; }
.wide tbody, .wide thead { white-space: nowrap; }
th { text-align: left; font-weight: 500; color: var(--dim); padding: 5px 12px 5px 0; vertical-align: top; }
td { padding: 5px 0 5px 12px; overflow-wrap: anywhere; }
.wide td, .wide thead th { text-align: right; padding: 5px 10px; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.u-legend { color: var(--ink); font-size: 13px; }
.u-legend th { color: inherit; }
.u-legend, .u-legend table { background: none; border: 0; }
.u-legend tr + tr > * { border: 0; }
`
