"use strict";
// The browser of single spectra. Points are pixels, or means of a few.
{
  const data = spectralData.spectra;
  const byId = (name) => document.getElementById(`spectra-${name}`);
  const plot = byId("plot");
  const INK = "#0072B2", BAND = "rgba(0,114,178,0.22)", GREY = "#767676", MASKED = "rgba(118,118,118,0.25)", LINE = "#8a3b00";
  const AGAINST_TO_FOR = [[0, "#0072B2"], [0.5, "#ffffff"], [1, "#D55E00"]];
  let shown = data.spectra; // those that pass the filters
  let at = 0;

  // ---- reading -----------------------------------------------------------------------------------------------------
  function decoded({ low, step, codes }, numBytes) {
    const bytes = Uint8Array.from(atob(codes), (letter) => letter.charCodeAt(0));
    const values = new Float64Array(bytes.length / numBytes), missing = 256 ** numBytes - 1;
    for (let i = 0; i < values.length; i++) {
      const code = numBytes === 1 ? bytes[i] : bytes[2 * i] + 256 * bytes[2 * i + 1];
      values[i] = code === missing ? NaN : low + step * code;
    }
    return values;
  }

  function opened(spectrum) {
    const channel = spectrum.channels[Number(byId("channel")?.value ?? 0)];
    const masked = new Uint8Array(data.x.length);
    for (const [start, end] of spectrum.masked) masked.fill(1, start, end);
    return {
      masked,
      flux: decoded(channel.flux, 2),
      error: channel.logError ? decoded(channel.logError, 1).map(Math.exp) : null,
      saliency: channel.saliency ? decoded(channel.saliency, 1) : null,
    };
  }

  // Means over `width` points around each, of those that are kept; NaN where none is.
  function smoothed(values, width, keep, finish = (sum, count) => sum / count) {
    const half = (width - 1) / 2, sums = new Float64Array(values.length + 1), counts = new Float64Array(values.length + 1);
    values.forEach((value, i) => {
      const kept = keep(i) && Number.isFinite(value);
      sums[i + 1] = sums[i] + (kept ? value : 0);
      counts[i + 1] = counts[i] + (kept ? 1 : 0);
    });
    return values.map((_value, i) => {
      const start = Math.max(0, i - half), end = Math.min(values.length, i + half + 1);
      return keep(i) ? finish(sums[end] - sums[start], counts[end] - counts[start]) : NaN;
    });
  }

  // The error of a mean: the root of the sum of squares over their number.
  function smoothedError(error, width, keep) {
    return smoothed(error.map((value) => value * value), width, keep, (sum, count) => Math.sqrt(Math.max(sum, 0)) / count);
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------
  function traces(spectrum) {
    const { flux, error, saliency, masked } = opened(spectrum);
    const width = Number(byId("smoothing").value), good = (i) => !masked[i];
    const line = smoothed(flux, width, good);
    const drawn = [bands(spectrum.masked)];
    if (error) drawn.push(errorBand(line, smoothedError(error, width, good)));
    drawn.push({ name: "masked flux", x: data.x, y: flux.map((value, i) => (masked[i] ? value : NaN)), mode: "lines", line: { color: GREY, width: 1 }, hoverinfo: "skip", connectgaps: false });
    drawn.push({ name: "flux", x: data.x, y: line, mode: "lines", line: { color: INK, width: 1.3 }, hovertemplate: `${data.inAngstrom ? "%{x:.1f} Å" : "pixel %{x}"}: %{y:.5g}<extra></extra>` });
    if (saliency) drawn.push(strip(smoothed(saliency, width, () => true)));
    return drawn.map((trace) => ({ showlegend: false, ...trace }));
  }

  function bands(stretches) {
    const step = (i) => (i < data.x.length ? data.x[i] : 2 * data.x[data.x.length - 1] - data.x[data.x.length - 2]);
    const x = [], y = [];
    for (const [start, end] of stretches) {
      x.push(step(start), step(start), step(end), step(end), step(start), null);
      y.push(0, 1, 1, 0, 0, null);
    }
    return { name: "masked", x, y, yaxis: "y3", mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: MASKED, hoverinfo: "skip" };
  }

  // A closed outline around each stretch of known errors: up along the upper edge, back along the lower one.
  function errorBand(line, error) {
    const x = [], y = [], isKnown = (i) => i < line.length && Number.isFinite(line[i]) && Number.isFinite(error[i]);
    for (let start = 0, end; start < line.length; start = end + 1) {
      for (end = start; isKnown(end); ) end++;
      for (let i = start; i < end; i++) x.push(data.x[i]), y.push(line[i] + error[i]);
      for (let i = end - 1; i >= start; i--) x.push(data.x[i]), y.push(line[i] - error[i]);
      if (end > start) x.push(null), y.push(null);
    }
    return { name: "error", x, y, mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: BAND, hoverinfo: "skip" };
  }

  function strip(saliency) {
    const sizes = [...saliency].map(Math.abs).sort((a, b) => a - b);
    const limit = sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
    return { name: "saliency", type: "heatmap", x: data.x, z: [saliency], y: [0.5], yaxis: "y2", zmin: -limit, zmax: limit, colorscale: AGAINST_TO_FOR, showscale: false, hovertemplate: "%{x}: %{z:.3g}<extra></extra>" };
  }

  // Rare outliers, cosmic rays say, must not flatten the rest; a double click on the plot shows all.
  function fluxRange(values) {
    const sorted = [...values].filter(Number.isFinite).sort((a, b) => a - b);
    if (!sorted.length) return [-1, 1];
    const quantile = (share) => sorted[Math.round(share * (sorted.length - 1))];
    const low = quantile(0.002), high = quantile(0.998), margin = 0.35 * (high - low) || 1;
    const least = sorted[0], most = sorted[sorted.length - 1], edge = 0.1 * (high - low) || 1;
    return [Math.max(least - edge, low - margin), Math.min(most + edge, high + margin)];
  }

  function markers() {
    const stretch = 1 + redshift(), first = data.x[0], last = data.x[data.x.length - 1], inside = (x) => x >= first && x <= last;
    const shapes = [], annotations = [];
    for (const [name, places] of data.lines) {
      const here = places.map((place) => place * stretch).filter(inside);
      for (const x of here) shapes.push({ type: "line", name, x0: x, x1: x, y0: 0, y1: 1, yref: "y3", line: { color: LINE, width: 1, dash: "dot" } });
      if (here.length) annotations.push({ text: name, x: here.reduce((a, b) => a + b) / here.length, y: 1, yref: "y3", yanchor: "bottom", showarrow: false, textangle: -90, font: { size: 12, color: LINE } });
    }
    if (data.hasSaliency) annotations.push({ text: "saliency", xref: "paper", x: -0.005, xanchor: "right", yref: "y2", y: 0.5, showarrow: false });
    return { shapes, annotations };
  }

  function layout(drawn, spectrum) {
    const axis = { gridcolor: "#e5e5e5", linecolor: GREY, zeroline: false };
    const bottom = data.hasSaliency ? 0.14 : 0;
    return {
      font: { family: "system-ui, sans-serif", size: 13, color: "#1b1b1b" },
      margin: { l: 72, r: 16, t: data.inAngstrom ? 64 : 12, b: 48 },
      paper_bgcolor: "white", plot_bgcolor: "white", hovermode: "x",
      xaxis: { ...axis, title: { text: data.inAngstrom ? "observed wavelength (Å)" : "pixel" }, range: [data.x[0], data.x[data.x.length - 1]], anchor: data.hasSaliency ? "y2" : "y" },
      yaxis: { ...axis, title: { text: "flux" }, domain: [bottom, 1], range: fluxRange(drawn.find((trace) => trace.name === "flux").y) },
      yaxis2: { domain: [0, data.hasSaliency ? 0.09 : 0.001], visible: false, fixedrange: true },
      yaxis3: { domain: [bottom, 1], overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
      ...markers(),
    };
  }

  // ---- state -------------------------------------------------------------------------------------------------------
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
    const pair = document.createElement("div"), term = document.createElement("dt"), about = document.createElement("dd");
    term.textContent = name;
    about.textContent = value;
    pair.append(term, about);
    return pair;
  }

  function facts(spectrum) {
    const likely = data.classes.map((name, k) => [name, spectrum.probability[k]]).sort((a, b) => b[1] - a[1]).slice(0, 4);
    const told = [["spectrum", spectrum.id], ["true", spectrum.label], ["predicted", `${spectrum.predicted} (${spectrum.wrong ? "wrong" : "right"})`]];
    told.push(["probabilities", likely.map(([name, share]) => `${name} ${share.toFixed(3)}`).join(", ")]);
    if (spectrum.snr !== null) told.push(["S/N", spectrum.snr.toPrecision(3)]);
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
    byId("smoothing-shown").textContent = byId("smoothing").value === "1" ? "off" : `${byId("smoothing").value} ${data.unit}`;
    plot.style.visibility = spectrum ? "visible" : "hidden";
    if (!spectrum || !plot.dataset.drawn) return;
    plot.setAttribute("aria-label", `Flux of spectrum ${spectrum.id}: true class ${spectrum.label}, predicted ${spectrum.predicted}.`);
    const drawn = traces(spectrum);
    Plotly.react(plot, drawn, layout(drawn, spectrum), spectralPlotOptions);
  }

  function go(position) {
    at = Math.max(0, Math.min(position, shown.length - 1));
    setRedshift(shown[at]?.redshift ?? 0);
    draw();
  }

  function filter() {
    const kind = byId("kind").value, label = byId("label").value, predicted = byId("predicted").value;
    const bound = (name, otherwise) => (byId(name)?.value ? Number(byId(name).value) : otherwise);
    const low = bound("snr-low", -Infinity), high = bound("snr-high", Infinity), bounded = low > -Infinity || high < Infinity;
    shown = data.spectra.filter((s) =>
      (kind === "all" || s.wrong === (kind === "wrong")) && (!label || s.label === label) && (!predicted || s.predicted === predicted) &&
      (!bounded || (s.snr !== null && s.snr >= low && s.snr <= high)));
    go(0);
  }

  function onKey(event) {
    const onControl = event.target.closest("input, select, textarea");
    const step = onControl || event.ctrlKey || event.altKey || event.metaKey ? 0 : { ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1 }[event.key] ?? 0;
    if (!step) return;
    event.preventDefault();
    go(at + step);
  }

  if (data) {
    for (const name of ["kind", "label", "predicted", "snr-low", "snr-high"]) byId(name)?.addEventListener("input", filter);
    for (const name of ["smoothing", "channel"]) byId(name)?.addEventListener("input", draw);
    const move = (value) => { setRedshift(value); if (plot.dataset.drawn) Plotly.relayout(plot, markers()); };
    byId("redshift")?.addEventListener("input", (event) => move(Number(event.target.value)));
    byId("redshift-number")?.addEventListener("input", () => { byId("redshift").value = redshift(); if (plot.dataset.drawn) Plotly.relayout(plot, markers()); });
    byId("redshift-reset")?.addEventListener("click", () => move(shown[at]?.redshift ?? 0));
    byId("previous").addEventListener("click", () => go(at - 1));
    byId("next").addEventListener("click", () => go(at + 1));
    byId("viewer").addEventListener("keydown", onKey);
    filter();
    whenNear(plot, () => { plot.dataset.drawn = "yes"; draw(); });
  }
}
