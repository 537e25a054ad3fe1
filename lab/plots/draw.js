// Draws the charts of a page in the browser, with shaded times behind them. Put into the page by page.ts.

/* global uPlot, document, window, getComputedStyle */
(() => {
  const { charts, spans } = JSON.parse(document.getElementById('content').textContent);
  const HEIGHT = 250;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const lineColors = ['line-1', 'line-2', 'line-3', 'line-4'].map(color);
  const labels = {
    seconds: (at) => `${Math.floor(at / 60)}:${String(Math.floor(at % 60)).padStart(2, '0')}`,
    percentile: (decades) => `${Number((100 - 100 / 10 ** decades).toPrecision(7))} %`,
    number: (count) => count.toLocaleString('en'),
  };
  const names = { seconds: 'time', percentile: 'percentile' };
  const shown = (value) => (value === null ? '' : value < 10 ? value.toFixed(2) : String(Math.round(value)));

  const shade = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { name, from, to } of spans) {
      const left = plot.valToPos(from, 'x', true);
      ctx.fillStyle = color(name);
      ctx.fillRect(left, bbox.top, plot.valToPos(to, 'x', true) - left, bbox.height);
    }
    ctx.restore();
  };

  const axis = { stroke: color('text'), grid: { stroke: color('grid') }, ticks: { stroke: color('grid') } };
  const plots = charts.map(({ title, x, xName = names[x], logarithmic, lines, data }) => {
    const y = logarithmic ? { distr: 3 } : { range: (_, __, most) => [0, (most ?? 0) * 1.05 || 1] };
    const options = {
      title,
      width: 600,
      height: HEIGHT,
      cursor: x === 'seconds' ? { sync: { key: 'time' } } : {},
      scales: { x: { time: false }, y },
      axes: [
        {
          ...axis,
          values: (_, all) => all.map(labels[x]),
          ...(x === 'percentile' ? { incrs: [1] } : {}),
          ...(x === 'number' ? { label: xName } : {}),
        },
        { ...axis, size: 70 },
      ],
      series: [
        { label: xName, value: (_, at) => (at === null ? '' : labels[x](at)) },
        ...lines.map((label, index) => ({
          label,
          stroke: lineColors[index],
          width: 1.5,
          value: (_, value) => shown(value),
        })),
      ],
      hooks: x === 'seconds' ? { drawClear: [shade] } : {},
    };
    return new uPlot(options, data, document.getElementById('charts'));
  });
  const fillWidth = () => {
    const { clientWidth } = document.getElementById('charts');
    for (const plot of plots) plot.setSize({ width: clientWidth, height: HEIGHT });
  };
  window.addEventListener('resize', fillWidth);
  fillWidth();
})();
