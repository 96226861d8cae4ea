// What `abacus keys SUBJECT --into` does to a document.
#pragma once

#include <string>

namespace abacus::cli {

// `document` with `table` in place of what stands between the comments `<!-- abacus keys SUBJECT -->` and
// `<!-- end of abacus keys SUBJECT -->`. Throws std::runtime_error where they are not there.
std::string with_table(const std::string& document, const std::string& subject,
                       const std::string& table);

}  // namespace abacus::cli
