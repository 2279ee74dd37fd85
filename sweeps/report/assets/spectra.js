"use strict";
// The browser of single spectra: which are shown, which one of them, and at which redshift.
{
  const data = spectralData.spectra;
  const byId = (name) => document.getElementById(`spectra-${name}`);
  const plot = byId("plot");
  let shown = data.spectra; // those that pass the filters
  let at = 0;

  function redshift() {
    return Number(byId("redshift-number")?.value ?? 0) || 0;
  }

  function setRedshift(value) {
    if (!data.inAngstrom) return;
    byId("redshift-number").value = Number(value).toFixed(4);
    byId("redshift").value = value;
    byId("redshift").setAttribute("aria-valuetext", Number(value).toFixed(4));
  }

  function fact(name, value) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const about = document.createElement("dd");
    term.textContent = name;
    about.textContent = value;
    pair.append(term, about);
    return pair;
  }

  function facts(spectrum) {
    const likely = data.classes
      .map((name, k) => [name, spectrum.probability[k]])
      .sort((a, b) => b[1] - a[1])
      .slice(0, 4);
    const told = [
      ["spectrum", spectrum.id],
      ["true", spectrum.label],
      ["predicted", `${spectrum.predicted} (${spectrum.wrong ? "wrong" : "right"})`],
    ];
    told.push(["probabilities", likely.map(([name, share]) => `${name} ${share.toFixed(3)}`).join(", ")]);
    if (spectrum.snr !== null) told.push(["S/N", spectrum.snr.toPrecision(3)]);
    if (spectrum.subclass !== null) told.push(["subclass", spectrum.subclass]);
    if (spectrum.redshift !== null) told.push(["catalog redshift", spectrum.redshift.toFixed(4)]);
    return told.map(([name, value]) => fact(name, value));
  }

  function draw() {
    const spectrum = shown[at];
    byId("position").textContent = spectrum ? `${at + 1} of ${shown.length}` : "no spectrum passes these filters";
    const hasFocus = document.activeElement;
    byId("previous").disabled = at <= 0;
    byId("next").disabled = at >= shown.length - 1;
    if (hasFocus?.disabled) byId("viewer").focus(); // else the keys would go nowhere
    byId("about").replaceChildren(...(spectrum ? facts(spectrum) : []));
    byId("smoothing-shown").textContent =
      byId("smoothing").value === "1" ? "off" : `${byId("smoothing").value} ${data.unit}`;
    plot.style.visibility = spectrum ? "visible" : "hidden";
    if (!spectrum || !plot.dataset.drawn) return;
    plot.setAttribute(
      "aria-label",
      `Flux of spectrum ${spectrum.id}: true class ${spectrum.label}, predicted ${spectrum.predicted}.`,
    );
    const drawn = spectraPlot.traces(spectrum, Number(byId("channel")?.value ?? 0), Number(byId("smoothing").value));
    Plotly.react(plot, drawn, spectraPlot.layout(drawn, redshift(), plot), spectralPlotOptions);
  }

  function go(position) {
    at = Math.max(0, Math.min(position, shown.length - 1));
    setRedshift(shown[at]?.redshift ?? 0);
    draw();
  }

  function filter() {
    const kind = byId("kind").value;
    const label = byId("label").value;
    const predicted = byId("predicted").value;
    const bound = (name, otherwise) => (byId(name)?.value ? Number(byId(name).value) : otherwise);
    const low = bound("snr-low", -Infinity);
    const high = bound("snr-high", Infinity);
    const bounded = low > -Infinity || high < Infinity;
    shown = data.spectra.filter(
      (s) =>
        (kind === "all" || s.wrong === (kind === "wrong")) &&
        (!label || s.label === label) &&
        (!predicted || s.predicted === predicted) &&
        (!bounded || (s.snr !== null && s.snr >= low && s.snr <= high)),
    );
    go(0);
  }

  function onKey(event) {
    const onControl = event.target.closest("input, select, textarea");
    const step =
      onControl || event.ctrlKey || event.altKey || event.metaKey
        ? 0
        : ({ ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1 }[event.key] ?? 0);
    if (!step) return;
    event.preventDefault();
    go(at + step);
  }

  for (const name of ["kind", "label", "predicted", "snr-low", "snr-high"])
    byId(name)?.addEventListener("input", filter);
  for (const name of ["smoothing", "channel"]) byId(name)?.addEventListener("input", draw);
  const moveMarkers = () => {
    if (plot.dataset.drawn) Plotly.relayout(plot, spectraPlot.markers(redshift(), spectraPlot.view(plot)));
  };
  const move = (value) => {
    setRedshift(value);
    moveMarkers();
  };
  byId("redshift")?.addEventListener("input", (event) => move(Number(event.target.value)));
  byId("redshift-number")?.addEventListener("input", () => {
    byId("redshift").value = redshift();
    moveMarkers();
  });
  byId("redshift-reset")?.addEventListener("click", () => move(shown[at]?.redshift ?? 0));
  byId("previous").addEventListener("click", () => go(at - 1));
  byId("next").addEventListener("click", () => go(at + 1));
  byId("viewer").addEventListener("keydown", onKey);
  filter();
  whenNear(plot, () => {
    plot.dataset.drawn = "yes";
    draw();
    // Names of lines keep apart at every zoom and width.
    plot.on("plotly_relayout", (change) => {
      if (Object.keys(change).some((key) => key.startsWith("xaxis") || key === "autosize")) moveMarkers();
    });
    window.addEventListener("resize", () => setTimeout(moveMarkers, 300)); // after Plotly's own
  });
}
