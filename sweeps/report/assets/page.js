"use strict";
// Figures are drawn when they come near the window, so that a page of many opens at once.
const spectralFigures = JSON.parse(document.getElementById("figures").textContent);
const spectralData = JSON.parse(document.getElementById("data").textContent);
const spectralPlotOptions = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };

const NARROW_PX = 600;
const TOOLBAR_PX = 30;

// The toolbar stands at the top right: a legend has its rows below it, however many a narrow window makes of them.
function belowToolbar(layout, traces, place) {
  if (!(layout.showlegend ?? traces.filter((trace) => trace.showlegend !== false).length > 1)) return layout;
  const height = place.clientHeight + TOOLBAR_PX;
  place.style.height = `${height}px`;
  const legend = { ...layout.legend, yref: "container", y: 1 - TOOLBAR_PX / height, yanchor: "top", x: 0 };
  return { ...layout, height, legend, margin: { ...layout.margin, t: layout.margin.t + TOOLBAR_PX } };
}

// A scale of colours takes a third of a narrow window at the side of a plot, and little below it.
function scaleBelow(trace, place) {
  const bar = trace.marker?.colorbar;
  if (!bar || place.clientWidth >= NARROW_PX) return trace;
  const below = { orientation: "h", y: -0.12, yanchor: "top", x: 0.5, xanchor: "center" };
  return { ...trace, marker: { ...trace.marker, colorbar: { ...bar, ...below } } };
}

function drawFigure(place) {
  place.dataset.drawn = "yes";
  const { data, layout } = spectralFigures[place.dataset.figure];
  const traces = data.map((trace) => scaleBelow(trace, place));
  Plotly.newPlot(place, traces, belowToolbar(layout, traces, place), spectralPlotOptions);
}

// In a narrow window a row of a table is a block, in which each cell says of which column it is.
for (const table of document.querySelectorAll(".scroll > table")) {
  const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  for (const row of table.querySelectorAll("tbody tr"))
    [...row.cells].forEach((cell, place) => cell.setAttribute("data-name", names[place]));
}

// A sheet of paper is narrower than a window: figures are drawn for it, or drawn again, and back.
window.addEventListener("beforeprint", () => document.body.classList.add("printed"));
window.addEventListener("afterprint", () => document.body.classList.remove("printed"));

// Calls draw once, when the place comes near the window or the page is printed.
function whenNear(place, draw) {
  const once = () => {
    nearWindow.disconnect();
    window.removeEventListener("beforeprint", once);
    draw();
  };
  const nearWindow = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && once(), {
    rootMargin: "300px",
  });
  nearWindow.observe(place);
  window.addEventListener("beforeprint", once);
}

const figurePlaces = [...document.querySelectorAll("[data-figure]")];
figurePlaces.forEach((place) => whenNear(place, () => drawFigure(place)));

window.addEventListener("beforeprint", () =>
  figurePlaces.forEach((place) => Plotly.relayout(place, { width: place.clientWidth })),
);
window.addEventListener("afterprint", () => figurePlaces.forEach((place) => Plotly.relayout(place, { autosize: true })));
