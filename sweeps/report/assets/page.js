"use strict";
// Figures are drawn when they come near the window, so that a page of many opens at once.
const spectralFigures = JSON.parse(document.getElementById("figures").textContent);
const spectralData = JSON.parse(document.getElementById("data").textContent);
const spectralPlotOptions = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };

function drawFigure(place) {
  if (place.dataset.drawn) return;
  place.dataset.drawn = "yes";
  const figure = spectralFigures[place.dataset.figure];
  Plotly.newPlot(place, figure.data, figure.layout, spectralPlotOptions);
}

const figurePlaces = [...document.querySelectorAll("[data-figure]")];
const nearWindow = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => drawFigure(entry.target)),
  { rootMargin: "300px" },
);
figurePlaces.forEach((place) => nearWindow.observe(place));

// A sheet of paper is narrower than a window, and a figure keeps the width that it was drawn in.
window.addEventListener("beforeprint", () => {
  document.body.classList.add("printed");
  figurePlaces.forEach(drawFigure);
  figurePlaces.forEach((place) => Plotly.relayout(place, { width: place.clientWidth }));
});
window.addEventListener("afterprint", () => {
  document.body.classList.remove("printed");
  figurePlaces.forEach((place) => Plotly.relayout(place, { autosize: true }));
});
