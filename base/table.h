// Tables: lists of rows with a `name`, found by name. One mechanism for parameters, verbs, phases,
// rulesets.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

namespace jail {

// The first row of that name, or nullptr; it lives as long as the table. Linear: tables that are
// searched often keep their own index.
template <class Row>
const Row* find_row(std::span<const Row> rows, std::string_view name) {
  auto it = std::ranges::find_if(
      rows, [&](const Row& row) { return std::string_view(row.name) == name; });
  return it == rows.end() ? nullptr : &*it;
}

}  // namespace jail
