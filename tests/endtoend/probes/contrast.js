// The least contrast of a text on the page against what is behind it (WCAG 2.1), in HTML and in figures, and that text.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (color) => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
      known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(color);
  };
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const v = c[i] / 255; return sum + w * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0);
  const behind = (element) => { for (let e = element; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  // Behind a word in a figure: the page, and over it every shape drawn before the word that its middle stands on.
  const shapes = new Map();
  const shapesOf = (svg) => {
    if (!shapes.has(svg)) shapes.set(svg, [...svg.querySelectorAll("path, rect")].map((shape) => {
      const style = getComputedStyle(shape);
      return { shape, box: shape.getBoundingClientRect(), color: style.fill === "none" ? null : rgba(style.fill),
        share: Number(style.fillOpacity) * Number(style.opacity), back: shape.getScreenCTM()?.inverse() };
    }).filter(({ color, share, back, box }) => color && share > 0 && back && box.height));
    return shapes.get(svg);
  };
  const under = (word) => {
    const at = word.getBoundingClientRect(), x = (at.left + at.right) / 2, y = (at.top + at.bottom) / 2;
    let color = behind(word.closest("div"));
    for (const { shape, box, color: fill, share, back } of shapesOf(word.ownerSVGElement)) {
      if (x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
      if (!(shape.compareDocumentPosition(word) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      if (!shape.isPointInFill(new DOMPoint(x, y).matrixTransform(back))) continue;
      color = color.map((c, i) => (i < 3 ? share * fill[i] + (1 - share) * c : c));
    }
    return color;
  };
  let least = 99, where = "";
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.getClientRects().length || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const [a, b] = [light(rgba(svg ? style.fill : style.color)), light(svg ? under(element) : behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) { least = ratio; where = element.textContent.trim().slice(0, 40); }
  }
  return [least, where];
}
