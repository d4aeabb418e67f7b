// Sort a table by a column: numbers as numbers, dashes last; a second click turns the order round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement;
    const table = head.closest("table");
    const column = [...head.parentElement.children].indexOf(head);
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = head.classList.contains("number");
    const key = (row) => {
      const text = row.children[column].dataset.key;
      return numeric ? (text === "nan" || text === "None" ? Infinity * (down ? -1 : 1) : Number(text)) : text;
    };
    const order = (a, b) => (numeric ? key(a) - key(b) || 0 : key(a).localeCompare(key(b), undefined, { numeric: true }));
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b)));
    body.append(...rows);
  });
}
