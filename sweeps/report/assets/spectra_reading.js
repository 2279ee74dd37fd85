"use strict";
// Spectra as the page holds them, made arrays again, and running means of them.
const spectraReading = (() => {
  function decoded({ low, step, codes }, numBytes) {
    const bytes = Uint8Array.from(atob(codes), (letter) => letter.charCodeAt(0));
    const values = new Float64Array(bytes.length / numBytes);
    const missing = 256 ** numBytes - 1;
    for (let i = 0; i < values.length; i++) {
      const code = numBytes === 1 ? bytes[i] : bytes[2 * i] + 256 * bytes[2 * i + 1];
      values[i] = code === missing ? NaN : low + step * code;
    }
    return values;
  }

  // Flux, error (or null), saliency (or null) and masked flags of one channel of a spectrum of `num` points.
  function opened(spectrum, channelIndex, num) {
    const channel = spectrum.channels[channelIndex];
    const masked = new Uint8Array(num);
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
    const half = (width - 1) / 2;
    const sums = new Float64Array(values.length + 1);
    const counts = new Float64Array(values.length + 1);
    values.forEach((value, i) => {
      const kept = keep(i) && Number.isFinite(value);
      sums[i + 1] = sums[i] + (kept ? value : 0);
      counts[i + 1] = counts[i] + (kept ? 1 : 0);
    });
    return values.map((_value, i) => {
      const start = Math.max(0, i - half);
      const end = Math.min(values.length, i + half + 1);
      return keep(i) ? finish(sums[end] - sums[start], counts[end] - counts[start]) : NaN;
    });
  }

  // The error of a mean: the root of the sum of squares over their number.
  function smoothedError(error, width, keep) {
    return smoothed(
      error.map((value) => value * value),
      width,
      keep,
      (sum, count) => Math.sqrt(Math.max(sum, 0)) / count,
    );
  }

  return { opened, smoothed, smoothedError };
})();
