// Draws the charts of the page in the browser. Put into the page by page.ts.

/* global uPlot, document, window, getComputedStyle */
(() => {
  const charts = JSON.parse(document.getElementById('content').textContent);
  const HEIGHT = 240;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const lineColors = ['line-1', 'line-2', 'line-3', 'line-4'].map(color);
  const labels = {
    seconds: (at) => `${Math.floor(at / 60)}:${String(Math.floor(at % 60)).padStart(2, '0')}`,
    percentile: (decades) => `${Number((100 - 100 / 10 ** decades).toPrecision(7))} %`,
  };
  const shown = (value) => (value === null ? '' : value < 10 ? value.toFixed(2) : String(Math.round(value)));

  const axis = { stroke: color('text'), grid: { stroke: color('grid') }, ticks: { stroke: color('grid') } };
  const plots = charts.map(({ title, x, logarithmic, lines, data }) => {
    const y = logarithmic ? { distr: 3 } : { range: (_, __, most) => [0, (most ?? 0) * 1.05 || 1] };
    const options = {
      title,
      width: 600,
      height: HEIGHT,
      cursor: x === 'seconds' ? { sync: { key: 'load' } } : {},
      scales: { x: { time: false }, y },
      axes: [
        { ...axis, values: (_, all) => all.map(labels[x]), ...(x === 'percentile' ? { incrs: [1] } : {}) },
        { ...axis, size: 70 },
      ],
      series: [
        { label: x === 'seconds' ? 'time' : 'percentile', value: (_, at) => (at === null ? '' : labels[x](at)) },
        ...lines.map((label, index) => ({
          label,
          stroke: lineColors[index],
          width: 1.5,
          value: (_, value) => shown(value),
        })),
      ],
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
