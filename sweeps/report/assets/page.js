"use strict";
// Figures are drawn when they come near the window, so that a page of many opens at once.
const spectralFigures = JSON.parse(document.getElementById("figures").textContent);
const spectralData = JSON.parse(document.getElementById("data").textContent);
const spectralPlotOptions = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };

function drawFigure(place) {
  place.dataset.drawn = "yes";
  const figure = spectralFigures[place.dataset.figure];
  Plotly.newPlot(place, figure.data, figure.layout, spectralPlotOptions);
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
