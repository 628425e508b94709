// The parameters of a service in jinit.conf: one row each, as conf/params.h has them for jails. A
// row says what a name means, where its value goes and which values make sense. No {fmt}: it is
// compiled into jinit.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "conf/service_spec.h"

namespace jail {

// The field that a parameter fills.
using ServiceField =
    std::variant<std::string ServiceSpec::*, Words ServiceSpec::*, int64_t ServiceSpec::*,
                 bool ServiceSpec::*, Restart ServiceSpec::*, OnExit ServiceSpec::*,
                 std::vector<ResourceLimit> ServiceSpec::*>;

// How values are written that are more than their field's type says.
enum class ServiceForm : uint8_t {
  plain,        // the text, words or number itself
  command,      // one word: a command line, run by a shell if it has a shell's characters; several:
                // the words to execute
  seconds,      // 5, 0.25: whole milliseconds
  size,         // 4096, 64k, 10M, 1G: bytes
  octal,        // 027
  signal,       // TERM, SIGTERM, 15, RTMIN+3
  ready,        // a descriptor, `start` or `exit`
  path,         // absolute
  environment,  // NAME=VALUE; NAME.KEY is one of them
  limit,        // only as NAME.RESOURCE: SOFT[, HARD], numbers or `unlimited`
};

// One row.
struct ServiceParam {
  const char* name;
  ServiceField field;
  const char* summary;  // one sentence, for people
  ServiceForm form = ServiceForm::plain;
  int64_t least = 0;  // of numbers; of times in milliseconds
  int64_t most = INT64_MAX;
};

// How many words a value may have: process 1 keeps them.
constexpr size_t most_service_words = 256;

// All of them, in the order of the manual.
std::span<const ServiceParam> service_params();

// Puts the words given for a parameter into its field. Of what is no list the last word counts; no
// words: true, an empty list, an empty text - and an error for all else. Error (EINVAL): "unknown
// parameter: NAME", or "NAME: what is wrong"; the spec is as it was.
Result<void> set_service_field(std::string_view name, std::span<const std::string_view> words,
                               ServiceSpec& spec);

// The readers of single values, for the small files of service directories too. Nothing: it is
// none. Signals are numbers of this system from 1 up.
std::optional<int64_t> parse_signal(std::string_view text);
std::optional<int64_t> parse_seconds(std::string_view text);
std::optional<int64_t> parse_size(std::string_view text);

}  // namespace jail
