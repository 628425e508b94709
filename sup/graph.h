// Who needs whom among services: order, loops, names that are nobody's. Pure: names in, numbers
// out. It never fails as a whole: one bad service does not stop the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace jail {

// A service as far as order goes: its name, what it needs, and what it only comes after.
struct ServiceNode {
  std::string_view name;
  std::span<const std::string> depend, after;
};

// One end of a dependency, seen from the other. What is not `needed` is only waited for where it is
// on its way up, and kept where it is on its way down.
struct ServiceLink {
  uint16_t service = 0;
  bool needed = true;

  bool operator==(const ServiceLink&) const = default;
};

// Numbers are places in the list that the graph was made from, at most 65535; of two services of
// one name the first is the one depended on. The links have no cycle: those of a service that is in
// a loop are left out.
class ServiceGraph {
 public:
  ServiceGraph() = default;
  explicit ServiceGraph(std::span<const ServiceNode> nodes);

  size_t size() const { return order_.size(); }
  // What a service comes after; who comes after it.
  std::span<const ServiceLink> needs(size_t service) const { return needs_.of(service); }
  std::span<const ServiceLink> needed_by(size_t service) const { return needed_by_.of(service); }
  // Every service once, behind all that it comes after.
  std::span<const uint16_t> order() const { return order_; }
  // Why a service can never be started, in a line that names the loop or the name that nobody has
  // ("depends on c, which depends on a, which depends on b"); empty if it can. Of a loop all that
  // are in it are told; a name in `after` that nobody has means nothing.
  std::string_view trouble(size_t service) const { return trouble_[service]; }

 private:
  // Lists of links, one behind the other in one piece of memory.
  struct Lists {
    std::vector<uint32_t> first;  // by service, and the end of the last
    std::vector<ServiceLink> links;
    std::span<const ServiceLink> of(size_t service) const {
      return std::span(links).subspan(first[service], first[service + 1] - first[service]);
    }
  };

  void link(std::span<const ServiceNode> nodes);
  void sort(std::span<const ServiceNode> nodes);
  void turn_round();
  void cut(std::span<const uint16_t> services);
  void break_loop(std::span<const ServiceNode> nodes, std::vector<uint32_t>& pending);

  Lists needs_, needed_by_;
  std::vector<uint16_t> order_;
  std::vector<std::string> trouble_;
};

}  // namespace jail
