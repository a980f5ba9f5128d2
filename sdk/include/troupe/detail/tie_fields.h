#pragma once

#include <cstddef>
#include <tuple>

namespace troupe {

/// The most fields that a plain struct may have.
inline constexpr std::size_t kFieldsMax = 40;

namespace detail {

// References to the first `kCount` fields of an aggregate that has as many: a structured binding
// needs them spelled out.
template <std::size_t kCount, class V>
constexpr auto tie_fields([[maybe_unused]] V& v) {  // NOLINT(readability-function-size)
  if constexpr (kCount == 0) {
    return std::tie();
  } else if constexpr (kCount == 1) {
    auto& [a0] = v;
    return std::tie(a0);
  } else if constexpr (kCount == 2) {
    auto& [a0, a1] = v;
    return std::tie(a0, a1);
  } else if constexpr (kCount == 3) {
    auto& [a0, a1, a2] = v;
    return std::tie(a0, a1, a2);
  } else if constexpr (kCount == 4) {
    auto& [a0, a1, a2, a3] = v;
    return std::tie(a0, a1, a2, a3);
  } else if constexpr (kCount == 5) {
    auto& [a0, a1, a2, a3, a4] = v;
    return std::tie(a0, a1, a2, a3, a4);
  } else if constexpr (kCount == 6) {
    auto& [a0, a1, a2, a3, a4, a5] = v;
    return std::tie(a0, a1, a2, a3, a4, a5);
  } else if constexpr (kCount == 7) {
    auto& [a0, a1, a2, a3, a4, a5, a6] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6);
  } else if constexpr (kCount == 8) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7);
  } else if constexpr (kCount == 9) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0);
  } else if constexpr (kCount == 10) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1);
  } else if constexpr (kCount == 11) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2);
  } else if constexpr (kCount == 12) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3);
  } else if constexpr (kCount == 13) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4);
  } else if constexpr (kCount == 14) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5);
  } else if constexpr (kCount == 15) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6);
  } else if constexpr (kCount == 16) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7);
  } else if constexpr (kCount == 17) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0);
  } else if constexpr (kCount == 18) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1);
  } else if constexpr (kCount == 19) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2);
  } else if constexpr (kCount == 20) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3);
  } else if constexpr (kCount == 21) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4);
  } else if constexpr (kCount == 22) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5] =
        v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5);
  } else if constexpr (kCount == 23) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6);
  } else if constexpr (kCount == 24) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7);
  } else if constexpr (kCount == 25) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0);
  } else if constexpr (kCount == 26) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1);
  } else if constexpr (kCount == 27) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2);
  } else if constexpr (kCount == 28) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3);
  } else if constexpr (kCount == 29) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4);
  } else if constexpr (kCount == 30) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5);
  } else if constexpr (kCount == 31) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6);
  } else if constexpr (kCount == 32) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7);
  } else if constexpr (kCount == 33) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0);
  } else if constexpr (kCount == 34) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1);
  } else if constexpr (kCount == 35) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2);
  } else if constexpr (kCount == 36) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3);
  } else if constexpr (kCount == 37) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4);
  } else if constexpr (kCount == 38) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5);
  } else if constexpr (kCount == 39) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6);
  } else if constexpr (kCount == 40) {
    auto& [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5,
           c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7] = v;
    return std::tie(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3,
                    c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7);
  }
}

}  // namespace detail
}  // namespace troupe
