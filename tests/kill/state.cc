#include "tests/kill/state.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/result.h"
#include "ledger/ledger.h"

namespace jail::kill {

namespace {

struct Pair {
  const char *forward, *back;
  Op op;
};
const Pair pairs[] = {{"host\tsay prepare", "release", {"prepare", {}}},
                      {"host\tsay prestart", "poststop", {"hook", {"prestart"}}}};

// Calls `rename` for each run of letters and digits, and puts its answer in the place.
template <class Rename>
std::string with_words(const std::string& text, Rename rename) {
  auto in_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && in_word(text[end])) ++end;
    if (end > at)
      result += rename(text.substr(at, end - at));
    else
      result += text[end++];
    at = end;
  }
  return result;
}

bool is_id(const std::string& word) {
  return word.size() == 8 && std::ranges::all_of(word, [](char c) {
           return std::isdigit(c) || (c >= 'a' && c <= 'f');
         });
}
bool is_start_time(const std::string& word) {
  return word.size() == 7 && word.starts_with("700") &&
         std::ranges::all_of(word, [](char c) { return std::isdigit(c); });
}

std::string read_whole(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char chunk[16384];
  for (ssize_t size; (size = ::read(file.get(), chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<size_t>(size));
  return text;
}

void write_whole(const std::string& path, const std::string& text) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    bug("a state cannot be put back");
}

void add_files(const std::string& world, const std::string& below, State& state) {
  DIR* directory = ::opendir((world + "/" + below).c_str());
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name, path = below + name;
    if (name == "." || name == "..") continue;
    state.push_back({path, entry->d_type == DT_DIR, {}});
    if (entry->d_type == DT_DIR)
      add_files(world, path + "/", state);
    else
      state.back().content = read_whole(world + "/" + path);
  }
  ::closedir(directory);
}

const File* find_file(const State& state, const std::string& path) {
  auto file = std::ranges::lower_bound(state, path, {}, &File::path);
  return file != state.end() && file->path == path ? &*file : nullptr;
}

}  // namespace

State take_state(const std::string& world) {
  State state;
  add_files(world, "", state);
  std::ranges::sort(state, {}, &File::path);
  return state;
}

void put_state(const std::string& world, const State& now, const State& wanted) {
  for (auto file = now.rbegin(); file != now.rend(); ++file) {
    const File* other = find_file(wanted, file->path);
    if (!other || other->directory != file->directory)
      (void)::remove((world + "/" + file->path).c_str());
  }
  for (const File& file : wanted) {
    const File* other = find_file(now, file.path);
    if (other && *other == file) continue;
    if (!file.directory)
      write_whole(world + "/" + file.path, file.content);
    else if (!other)
      (void)::mkdir((world + "/" + file.path).c_str(), 0755);
  }
}

namespace {

// Ids by the names of their jails, which are not drawn.
std::map<std::string, std::string> names_of(const State& state) {
  std::map<std::string, std::string> names;
  for (const File& file : state) {
    const bool index = file.path == "run/index";
    if (!index && !file.path.ends_with("/ledger")) continue;
    for (const std::string& line : split(file.content, "\n")) {
      const Words words = split(line, " ");
      if (index && words.size() == 3 && is_id(words[1])) names[words[1]] = "ID_" + words[2];
      if (!index && words.size() == 5 && words[0] == "ledger") names[words[2]] = "ID_" + words[3];
    }
  }
  return names;
}

// Which boot a ledger was begun in counts only beside the present one.
std::string with_boot(std::string text, const std::string& now) {
  const size_t at = text.starts_with("db/") ? text.find(" boot-") : std::string::npos;
  if (at != std::string::npos) {
    const size_t end = text.find('\n', at);
    text.replace(at, end - at, text.substr(at + 1, end - at - 1) == now ? " NOW" : " THEN");
  }
  return text;
}

// A file as a block of lines; nothing for one that says nothing.
std::string block_of(const File& file) {
  const std::string name = file.path.substr(file.path.rfind('/') + 1);
  if (file.path == "run/registry" || file.path == "db/jails") return {};
  if (name == "lock" || name == "parameters") return file.path + "\n";  // and not who held it
  if (file.path != "run/index") return file.path + "\n" + file.content;
  // Its first line counts jids; without entries it is none.
  const std::string entries = file.content.substr(file.content.find('\n') + 1);
  return entries.empty() ? entries : file.path + "\n" + entries;
}

}  // namespace

std::string key_of(const State& state) {
  const std::map<std::string, std::string> names = names_of(state);
  std::map<std::string, std::string> alive;
  Words rows, blocks;
  std::string now;  // the boot of the host
  for (const std::string& line : split(find_file(state, "world")->content, "\n")) {
    const Words row = split_exact(line, '\t');
    if (row[0] == "process") alive.try_emplace(row[2], fmt::format("START{}", alive.size()));
    if (row[0] == "boot") now = row[1];
    if (row[0] != "ran" && row[0] != "clock" && row[0] != "boot") rows.push_back(line + "\n");
  }
  auto rename = [&](const std::string& word) {
    if (is_start_time(word)) return alive.contains(word) ? alive[word] : std::string("DEAD");
    if (!is_id(word)) return word;
    auto name = names.find(word);
    return name == names.end() ? std::string("ID") : name->second;
  };
  for (std::string& row : rows) row = with_words(row, rename);
  std::ranges::sort(rows);
  for (const File& file : state)
    if (file.path != "world") blocks.push_back(with_boot(with_words(block_of(file), rename), now));
  std::ranges::sort(blocks);
  return join(rows, "") + join(blocks, "");
}

std::string up_key_of(const std::string& key) {
  std::string text;
  bool temporary = false;
  for (const std::string& line : split(key, "\n")) {
    if (line.starts_with("db/") || line.starts_with("run/")) temporary = line == "run/index.new";
    const bool hook = line.starts_with("group\t") && line.find("/ID_") != std::string::npos &&
                      line.find(".hook") != std::string::npos;
    if (!temporary && !hook && !line.starts_with("! ")) text += line + "\n";
  }
  return text;
}

Words due_halves(const State& state) {
  const std::string& table = find_file(state, "world")->content;
  Words due;
  for (const Pair& pair : pairs) {
    const size_t forward = table.rfind(pair.forward),
                 back = table.rfind(fmt::format("host\tsay {}", pair.back));
    if (forward != std::string::npos && (back == std::string::npos || back < forward))
      due.emplace_back(pair.back);
  }
  return due;
}

void excuse(State& state, const std::string& half) {
  std::ranges::find(state, "world", &File::path)->content +=
      fmt::format("ran\thost\tsay {}\n", half);
}

void drop_unsynced(State& state) {
  for (File& file : state) {
    if (!file.path.ends_with("/ledger")) continue;
    const size_t last =
        std::max(file.content.rfind("\n+ prepare\n") + 1, file.content.rfind("\n+ union ") + 1);
    file.content.resize(last == 0 ? 0 : file.content.find('\n', last) + 1);
  }
}

bool is_in_ledger(const State& state, const std::string& half) {
  for (const File& file : state) {
    Result<Ledger> ledger =
        file.path.ends_with("/ledger") ? Ledger::parse(file.content) : fail(ENOENT, "");
    if (!ledger) continue;
    for (const Act& act : ledger->acts())
      for (const Pair& pair : pairs)
        if (act.open && pair.back == half && act.op == pair.op) return true;
  }
  return false;
}

}  // namespace jail::kill
