// Table search while typing.
const fold = (text) => text.toLocaleLowerCase().normalize("NFKD");

const searchable = (input) => {
  const rows = [...document.querySelectorAll(`${input.dataset.search} tbody tr`)];
  const words = rows.map((row) => fold(row.dataset.searchText));
  const none = document.querySelector(input.dataset.none);
  const search = () => {
    const query = fold(input.value.trim());
    rows.forEach((row, at) => { row.hidden = !words[at].includes(query); });
    none.hidden = rows.some((row) => !row.hidden);
  };
  input.addEventListener("input", search);
  search();
};

document.querySelectorAll("input[data-search]").forEach(searchable);
