/** Runs in the page, after uPlot: draws the plots, and again when the colour scheme or the width changes. */
export const reportScript = `
(() => {
  const phases = JSON.parse(document.getElementById('report').textContent)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const palette = () => dark.matches
    ? { ink: '#93a1b3', grid: '#2c3541', lines: ['#e4e9f0', '#6cb6ff', '#ffb454', '#7ee787', '#d2a8ff', '#ff7b72'] }
    : { ink: '#5d6b7c', grid: '#e6eaef', lines: ['#1b2430', '#1f6fd0', '#c76a00', '#1a7f37', '#8250df', '#cf222e'] }
  const us = (v) => v == null ? '' : v < 1000 ? +v.toPrecision(3) + ' µs' : v < 1e6 ? +(v / 1000).toPrecision(3) + ' ms' : +(v / 1e6).toPrecision(3) + ' s'
  const ops = (v) => v == null ? '' : v >= 1e6 ? +(v / 1e6).toPrecision(3) + ' M' : v >= 1000 ? +(v / 1000).toPrecision(3) + ' K' : '' + +v.toPrecision(3)
  const nines = (v) => v <= 1 ? '0 %' : +(100 * (1 - 1 / v)).toFixed(Math.max(0, Math.ceil(Math.log10(v)) - 2)) + ' %'
  const seconds = (v) => v == null ? '' : +v.toFixed(1) + ' s'
  let plots = []

  const axes = (colors, x, y) => [x, y].map((values, i) => ({
    stroke: colors.ink, grid: { stroke: colors.grid, width: 1 }, ticks: { stroke: colors.grid, width: 1 },
    size: i === 0 ? 40 : 72, values: (u, ticks) => ticks.map((v) => v == null ? '' : values(v)),
  }))
  const draw = (id, options, data) => {
    const at = document.getElementById(id)
    plots.push(new uPlot({ width: at.clientWidth, height: 300, padding: [8, 28, 0, 0], ...options }, data, at))
  }
  const line = (label, stroke, value, more) => ({ label, stroke, width: 1.8, points: { show: false }, value: (u, v) => value(v), ...more })
  const positive = (v) => v > 0 ? v : null

  const curve = (index, { curves }, colors) => {
    const names = Object.keys(curves)
    const longest = names.reduce((a, b) => curves[a].length > curves[b].length ? a : b)
    const xs = curves[longest].map(([p], i) => 10 ** (i / 20))
    draw('curve-' + index, {
      scales: { x: { time: false, distr: 3, range: (u, min, max) => [1, Math.max(10, max)] }, y: { distr: 3 } },
      axes: axes(colors, nines, us),
      series: [{ label: 'percentile', value: (u, v) => v == null ? '' : nines(v) }, ...names.map((name, i) => line(name, colors.lines[i % 6], us, i === 0 ? { width: 2.4 } : {}))],
    }, [xs, ...names.map((name) => xs.map((_, i) => positive(curves[name][i]?.[1])))])
  }
  const overTime = (index, { samples }, colors) => {
    const xs = samples.map((s) => s.atMs / 1000)
    const x = { label: 'time', value: (u, v) => seconds(v) }
    const few = { points: { show: samples.length < 40 } }
    draw('throughput-' + index, {
      scales: { x: { time: false }, y: { range: (u, min, max) => [0, Math.max(1, max * 1.1)] } },
      axes: axes(colors, seconds, ops),
      series: [x, line('ops/s', colors.lines[1], ops, { fill: colors.lines[1] + '22', ...few }), line('errors/s', colors.lines[5], ops, few)],
    }, [xs, samples.map((s) => s.count * 1000 / s.durationMs), samples.map((s) => s.errors * 1000 / s.durationMs)])
    draw('latency-' + index, {
      scales: { x: { time: false }, y: { distr: 3 } },
      axes: axes(colors, seconds, us),
      series: [x, line('p50', colors.lines[1], us, few), line('p99', colors.lines[2], us, few), line('max', colors.lines[5], us, few)],
    }, [xs, ...['p50Ns', 'p99Ns', 'maxNs'].map((name) => samples.map((s) => positive(s[name] / 1000)))])
  }
  const drawAll = () => {
    for (const plot of plots) plot.destroy()
    plots = []
    const colors = palette()
    for (const [index, phase] of phases.entries()) {
      curve(index, phase, colors)
      overTime(index, phase, colors)
    }
  }
  drawAll()
  dark.addEventListener('change', drawAll)
  let resized
  addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(drawAll, 100) })
})()
`
