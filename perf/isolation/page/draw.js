// Draws the charts of the page in the browser, with the times of the faults behind them. Put into the page by page.ts.

/* global uPlot, document, window, getComputedStyle */
(() => {
  const { charts, faults } = JSON.parse(document.getElementById('content').textContent);
  const HEIGHT = 260;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const lineColors = ['line-1', 'line-2', 'line-3', 'line-4'].map(color);
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

  const shadeFaults = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { name, from, to } of faults) {
      const left = plot.valToPos(from, 'x', true);
      ctx.fillStyle = color(name);
      ctx.fillRect(left, bbox.top, plot.valToPos(to, 'x', true) - left, bbox.height);
    }
    ctx.restore();
  };

  const axis = { stroke: color('text'), grid: { stroke: color('grid') }, ticks: { stroke: color('grid') } };
  const plots = charts.map(({ title, lines, data }) => {
    const options = {
      title,
      width: 600,
      height: HEIGHT,
      cursor: { sync: { key: 'isolation' } },
      scales: { x: { time: false }, y: { range: (_, __, most) => [0, (most ?? 0) * 1.05 || 1] } },
      axes: [
        { ...axis, values: (_, all) => all.map(clock) },
        { ...axis, size: 70 },
      ],
      series: [
        { label: 'time', value: (_, seconds) => (seconds === null ? '' : clock(seconds)) },
        ...lines.map((label, index) => ({
          label,
          stroke: lineColors[index],
          width: 1.5,
          value: (_, value) => (value === null ? '' : String(Math.round(value))),
        })),
      ],
      hooks: { drawClear: [shadeFaults] },
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
