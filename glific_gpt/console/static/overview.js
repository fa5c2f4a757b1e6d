// Draws the charts of the overview from the JSON beside them, in the colours of the theme.
const drawn = new Map();
// A canvas cannot resolve light-dark(), so a hidden element resolves the colour.
const probe = document.body.appendChild(document.createElement("span"));
const colour = (name) => {
  probe.style.color = `var(--tblr-${name})`;
  return getComputedStyle(probe).color;
};

// Stripes, so that series can be told apart without colours.
const hatched = (ink) => {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = ink;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = colour("bg-surface");
  pen.lineWidth = 1.5;
  for (const from of [-8, 0, 8]) {
    pen.moveTo(from, 8);
    pen.lineTo(from + 8, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
};

const dataset = (series) => {
  const ink = colour(series.colour);
  return {
    label: series.name,
    data: series.values,
    shown: series.shown,
    backgroundColor: series.hatched ? hatched(ink) : ink,
    borderColor: ink,
    borderWidth: series.hatched ? 1 : 0,
    borderRadius: 2,
    maxBarThickness: 48,
    categoryPercentage: 0.85,
    barPercentage: 0.95,
  };
};

// A dashed line with a label, before the bar with this index.
const line = ({ before, name }) => ({
  id: "line",
  afterDatasetsDraw({ ctx, chartArea, scales }) {
    const half = (scales.x.getPixelForValue(before) - scales.x.getPixelForValue(before - 1)) / 2;
    const x = scales.x.getPixelForValue(before) - half;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("body-color");
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(x, chartArea.top);
    ctx.lineTo(x, chartArea.bottom);
    ctx.stroke();
    ctx.textAlign = "right";
    ctx.textBaseline = "top";
    ctx.fillText(name, x - 6, chartArea.top);
    ctx.restore();
  },
});

const options = (data) => {
  const text = colour("secondary");
  const lines = { color: colour("border-color") };
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 6 });
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    scales: {
      x: { stacked: true, grid: { display: false }, border: lines, ticks: { color: text, maxRotation: 0, autoSkip: !data.line, autoSkipPadding: 12 } },
      y: {
        stacked: true, beginAtZero: true, grid: lines, border: { display: false },
        ticks: { color: text, maxTicksLimit: 6, precision: data.unit ? undefined : 0, callback: (value) => data.unit + number.format(value) },
      },
    },
    plugins: {
      legend: { display: data.series.length > 1, position: "bottom", labels: { color: text, boxWidth: 12, boxHeight: 12 } },
      tooltip: { callbacks: { title: ([first]) => data.labels[first.dataIndex], label: (item) => `${item.dataset.label}: ${item.dataset.shown[item.dataIndex]}` } },
    },
  };
};

const draw = (canvas) => {
  drawn.get(canvas)?.destroy();
  const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawn.set(canvas, new window.Chart(canvas, {
    type: "bar",
    data: { labels: data.ticks, datasets: data.series.map(dataset) },
    options: options(data),
    plugins: data.line ? [line(data.line)] : [],
  }));
};

// Only charts near the window are drawn, each in a task of its own: four at once block a slow phone.
const seen = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    seen.unobserve(target);
    setTimeout(draw, 0, target);
  }
}, { rootMargin: "200px" });
const canvases = [...document.querySelectorAll("canvas[data-chart]")];
canvases.forEach((canvas) => seen.observe(canvas));
document.addEventListener("theme", () => [...drawn.keys()].forEach(draw));
addEventListener("beforeprint", () => canvases.filter((canvas) => !drawn.has(canvas)).forEach(draw));
