"use strict";
// What is drawn of a spectrum: Plotly traces and the layout around them.
const spectraPlot = (() => {
  const data = spectralData.spectra;
  const { opened, smoothed, smoothedError } = spectraReading;
  const [INK, OTHER] = spectralData.colours;
  const BAND = "rgba(0,114,178,0.22)";
  const GREY = "#767676";
  const MASKED = "rgba(118,118,118,0.25)";
  const LINE = "#8a3b00";
  const NAME_PX = 17; // the height of a name, which stands upright
  const MARGIN = { l: 72, r: 16, t: data.inAngstrom ? 94 : 36, b: 48 }; // above: toolbar, names of lines
  const AGAINST_TO_FOR = [
    [0, INK],
    [0.5, "#ffffff"],
    [1, OTHER],
  ];

  // Traces of one channel of a spectrum, smoothed over `width` points.
  function traces(spectrum, channel, width) {
    const { flux, error, saliency, masked } = opened(spectrum, channel, data.x.length);
    const good = (i) => !masked[i];
    const line = smoothed(flux, width, good);
    const drawn = [bands(spectrum.masked)];
    if (error) drawn.push(errorBand(line, smoothedError(error, width, good)));
    drawn.push({
      name: "masked flux",
      x: data.x,
      y: flux.map((value, i) => (masked[i] ? value : NaN)),
      mode: "lines",
      line: { color: GREY, width: 1 },
      hoverinfo: "skip",
      connectgaps: false,
    });
    drawn.push({
      name: "flux",
      x: data.x,
      y: line,
      mode: "lines",
      line: { color: INK, width: 1.3 },
      hovertemplate: `${data.inAngstrom ? "%{x:.1f} Å" : "pixel %{x}"}: %{y:.5g}<extra></extra>`,
    });
    if (saliency) drawn.push(strip(smoothed(saliency, width, () => true)));
    return drawn.map((trace) => ({ showlegend: false, ...trace }));
  }

  function bands(stretches) {
    const step = (i) => (i < data.x.length ? data.x[i] : 2 * data.x[data.x.length - 1] - data.x[data.x.length - 2]);
    const x = [];
    const y = [];
    for (const [start, end] of stretches) {
      x.push(step(start), step(start), step(end), step(end), step(start), null);
      y.push(0, 1, 1, 0, 0, null);
    }
    return {
      name: "masked",
      x,
      y,
      yaxis: "y3",
      mode: "lines",
      line: { width: 0 },
      fill: "toself",
      fillcolor: MASKED,
      hoverinfo: "skip",
    };
  }

  // A closed outline around each stretch of known errors: up along the upper edge, back along the lower one.
  function errorBand(line, error) {
    const x = [];
    const y = [];
    const isKnown = (i) => i < line.length && Number.isFinite(line[i]) && Number.isFinite(error[i]);
    for (let start = 0, end; start < line.length; start = end + 1) {
      for (end = start; isKnown(end);) end++;
      for (let i = start; i < end; i++) (x.push(data.x[i]), y.push(line[i] + error[i]));
      for (let i = end - 1; i >= start; i--) (x.push(data.x[i]), y.push(line[i] - error[i]));
      if (end > start) (x.push(null), y.push(null));
    }
    return {
      name: "error",
      x,
      y,
      mode: "lines",
      line: { width: 0 },
      fill: "toself",
      fillcolor: BAND,
      hoverinfo: "skip",
    };
  }

  function strip(saliency) {
    const sizes = [...saliency].map(Math.abs).sort((a, b) => a - b);
    const limit = sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
    return {
      name: "saliency",
      type: "heatmap",
      x: data.x,
      z: [saliency],
      y: [0.5],
      yaxis: "y2",
      zmin: -limit,
      zmax: limit,
      colorscale: AGAINST_TO_FOR,
      showscale: false,
      hovertemplate: "%{x}: %{z:.3g}<extra></extra>",
    };
  }

  // Rare outliers, cosmic rays say, must not flatten the rest; a double click on the plot shows all.
  function fluxRange(values) {
    const sorted = [...values].filter(Number.isFinite).sort((a, b) => a - b);
    if (!sorted.length) return [-1, 1];
    const quantile = (share) => sorted[Math.round(share * (sorted.length - 1))];
    const low = quantile(0.002);
    const high = quantile(0.998);
    const margin = 0.35 * (high - low) || 1;
    const least = sorted[0];
    const most = sorted[sorted.length - 1];
    const edge = 0.1 * (high - low) || 1;
    return [Math.max(least - edge, low - margin), Math.min(most + edge, high + margin)];
  }

  // Sideways shifts in pixels, so that names at these places have room side by side.
  function sideways(places) {
    const order = places.map((_place, i) => i).sort((a, b) => places[a] - places[b]);
    const shifted = [...places];
    // Neighbours that are too close go apart equally, until none is.
    for (let round = 0, moved = true; moved && round < 200; round++) {
      moved = false;
      for (let k = 1; k < order.length; k++) {
        const lack = NAME_PX - (shifted[order[k]] - shifted[order[k - 1]]);
        if (lack < 0.1) continue;
        shifted[order[k - 1]] -= lack / 2;
        shifted[order[k]] += lack / 2;
        moved = true;
      }
    }
    return shifted.map((place, i) => place - places[i]);
  }

  // Lines of a redshift as shapes, and their names; `view` is the plot's width in pixels and its range in x.
  function markers(redshift, view) {
    const stretch = 1 + redshift;
    const [first, last] = view.range;
    const inside = (x) => x >= first && x <= last;
    const shapes = [];
    const annotations = [];
    for (const [name, places] of data.lines) {
      const here = places.map((place) => place * stretch).filter(inside);
      for (const x of here)
        shapes.push({
          type: "line",
          name,
          x0: x,
          x1: x,
          y0: 0,
          y1: 1,
          yref: "y3",
          line: { color: LINE, width: 1, dash: "dot" },
        });
      if (here.length)
        annotations.push({
          text: name,
          x: here.reduce((a, b) => a + b) / here.length,
          y: 1,
          yref: "y3",
          yanchor: "bottom",
          showarrow: false,
          textangle: -90,
          font: { size: 12, color: LINE },
        });
    }
    const pixels = annotations.map(({ x }) => ((x - first) / (last - first)) * view.width_px);
    sideways(pixels).forEach((shift, i) => (annotations[i].xshift = shift));
    if (data.hasSaliency)
      annotations.push({
        text: "saliency",
        xref: "paper",
        x: -0.005,
        xanchor: "right",
        yref: "y2",
        y: 0.5,
        showarrow: false,
      });
    return { shapes, annotations };
  }

  // What is to be seen of x: by the plot as it is zoomed, or all.
  function view(plot) {
    const axis = plot._fullLayout?.xaxis;
    if (axis?._length) return { range: axis.range.map(Number), width_px: axis._length };
    return { range: [data.x[0], data.x[data.x.length - 1]], width_px: plot.clientWidth - MARGIN.l - MARGIN.r };
  }

  function layout(drawn, redshift, plot) {
    const whole = { ...view(plot), range: [data.x[0], data.x[data.x.length - 1]] };
    const axis = { gridcolor: "#e5e5e5", linecolor: GREY, zeroline: false };
    const bottom = data.hasSaliency ? 0.14 : 0;
    return {
      font: { family: "system-ui, sans-serif", size: 13, color: "#1b1b1b" },
      margin: MARGIN,
      paper_bgcolor: "white",
      plot_bgcolor: "white",
      hovermode: "x",
      xaxis: {
        ...axis,
        title: { text: data.inAngstrom ? "observed wavelength (Å)" : "pixel" },
        range: whole.range,
        anchor: data.hasSaliency ? "y2" : "y",
      },
      yaxis: {
        ...axis,
        title: { text: "flux" },
        domain: [bottom, 1],
        range: fluxRange(drawn.find((trace) => trace.name === "flux").y),
      },
      yaxis2: { domain: [0, data.hasSaliency ? 0.09 : 0.001], visible: false, fixedrange: true },
      yaxis3: { domain: [bottom, 1], overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
      ...markers(redshift, whole),
    };
  }

  return { traces, layout, markers, view };
})();
