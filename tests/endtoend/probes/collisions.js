// Words of a shown figure that lie on other words or stick out of it; a pixel is rounding, 3.5 the leading of a line.
() => {
  const found = [], name = (svg) => svg.closest("figure").id;
  for (const svg of document.querySelectorAll("figure svg")) {
    if (!svg.getClientRects().length) continue;
    const all = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()]);
    words.forEach(([text, a], i) => {
      if (a.left < all.left - 1 || a.right > all.right + 1 || a.top < all.top - 1 || a.bottom > all.bottom + 1)
        found.push(`${name(svg)}: ${text} sticks out`);
      for (const [other, b] of words.slice(i + 1))
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3.5) found.push(`${name(svg)}: ${text} on ${other}`);
    });
  }
  return found;
}
