#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "tests/fuzz/target.hpp"

namespace abacus::test {
namespace {

// Where the last tensor ends; 0 where the header is none.
std::uint64_t data_bytes(const std::string& header) {
  const auto json = nlohmann::json::parse(header, nullptr, false);
  std::uint64_t end = 0;
  if (!json.is_object()) return end;
  for (const auto& entry : json) {
    if (!entry.is_object() || !entry.contains("data_offsets")) continue;
    const auto& offsets = entry["data_offsets"];
    if (offsets.is_array() && offsets.size() == 2 && offsets[1].is_number_unsigned()) {
      end = std::max(end, offsets[1].get<std::uint64_t>());
    }
  }
  return end;
}

}  // namespace

std::string with_header(const std::string& input) {
  constexpr std::uint64_t most = 1 << 20;
  const std::string header = input.substr(0, input.find('\0'));
  const std::string data = header.size() < input.size() ? input.substr(header.size() + 1) : "";
  std::string file;
  for (int byte = 0; byte < 8; ++byte) {
    file += static_cast<char>(static_cast<std::uint64_t>(header.size()) >> (8 * byte));
  }
  file += header;
  // No deeper than what the parser above could be trusted with.
  const bool shallow = std::count(header.begin(), header.end(), '[') < 1000 &&
                       std::count(header.begin(), header.end(), '{') < 1000;
  const std::uint64_t wanted = shallow ? std::min(data_bytes(header), most) : data.size();
  if (data.empty()) return file + std::string(wanted, '\0');
  while (file.size() < 8 + header.size() + wanted) {
    file += data.substr(0, 8 + header.size() + wanted - file.size());
  }
  return file;
}

}  // namespace abacus::test
