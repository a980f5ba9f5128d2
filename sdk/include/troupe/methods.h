#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include <troupe/actor_type.h>
#include <troupe/names.h>
#include <troupe/task.h>

/// What an actor serves: one list in its class.
///
///     using Methods = troupe::Methods<&Cart::add,                         // alone
///                                     &Cart::total,                       // const: read-only
///                                     troupe::interleave<&Cart::peek>,    // const
///                                     troupe::one_way<&Cart::log>,        // sent, not called
///                                     troupe::named<"Pay", &Cart::pay>>;  // known as "Pay"
///
/// A method takes nothing or one message, and returns `T`, `void`, or a `Task` of them. A `const`
/// method is a read-only turn, which may overlap others of its kind.
namespace troupe {
namespace detail {

template <class... A>
struct OneArgument {
  using type = void;
};
template <class A>
struct OneArgument<A> {
  using type = std::remove_cvref_t<A>;
};

template <class R>
struct Awaited {
  using type = std::remove_cvref_t<R>;
  static constexpr bool kWaits = false;
};
template <class T>
struct Awaited<Task<T>> {
  using type = T;
  static constexpr bool kWaits = true;
};

template <class R, class C, bool kIsConst, class... A>
struct SignatureParts {
  using Class = C;
  using Argument = typename OneArgument<A...>::type;
  using Result = typename Awaited<R>::type;
  static constexpr std::size_t kArguments = sizeof...(A);
  static constexpr bool kChangesArgument =
      (... || (std::is_lvalue_reference_v<A> && !std::is_const_v<std::remove_reference_t<A>>));
  static constexpr bool kConst = kIsConst;
  static constexpr bool kWaits = Awaited<R>::kWaits;
};

template <class M>
struct Signature;
template <class R, class C, class... A>
struct Signature<R (C::*)(A...)> : SignatureParts<R, C, false, A...> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const> : SignatureParts<R, C, true, A...> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) noexcept> : SignatureParts<R, C, false, A...> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const noexcept> : SignatureParts<R, C, true, A...> {};

template <auto kMethod>
using SignatureOf = Signature<std::remove_const_t<decltype(kMethod)>>;

/// A text as a template argument.
template <std::size_t kSize>
struct FixedText {
  // NOLINTNEXTLINE(google-explicit-constructor, modernize-avoid-c-arrays)
  constexpr FixedText(const char (&literal)[kSize]) {
    for (std::size_t i = 0; i < kSize; ++i) text[i] = literal[i];
  }
  char text[kSize];  // NOLINT(modernize-avoid-c-arrays)
};

template <auto kPointer>
struct PlainEntry {
  static_assert(SignatureOf<kPointer>::kArguments <= 1,
                "a method takes at most one message: put them into a struct");
  static_assert(!SignatureOf<kPointer>::kChangesArgument,
                "a method takes its message by value or by const reference");
  static constexpr auto kMethod = kPointer;
  static constexpr std::string_view kName = method_name<kPointer>;
  static constexpr Access kAccess =
      SignatureOf<kPointer>::kConst ? Access::kReadOnly : Access::kWrite;
  static constexpr bool kOneWay = false;
};

template <auto kEntry, bool kIsPointer = std::is_member_function_pointer_v<decltype(kEntry)>>
struct EntryChoice {
  using type = std::remove_const_t<decltype(kEntry)>;
};
template <auto kEntry>
struct EntryChoice<kEntry, true> {
  using type = PlainEntry<kEntry>;
};
template <auto kEntry>
using EntryOf = typename EntryChoice<kEntry>::type;

template <auto kEntry>
struct Interleave : EntryOf<kEntry> {
  static_assert(SignatureOf<EntryOf<kEntry>::kMethod>::kConst,
                "an interleaved method is const: it runs while another turn changes the state");
  static constexpr Access kAccess = Access::kInterleave;
};

template <auto kEntry>
struct OneWay : EntryOf<kEntry> {
  static_assert(std::is_void_v<typename SignatureOf<EntryOf<kEntry>::kMethod>::Result>,
                "a one-way method returns void: nobody has its reply");
  static constexpr bool kOneWay = true;
};

template <FixedText kText, auto kEntry>
struct Named : EntryOf<kEntry> {
  static constexpr std::string_view kName{kText.text};
};

template <auto kMethod>
struct Value {};
template <class E, auto kMethod>
inline constexpr bool kIsEntryOf = std::is_same_v<Value<E::kMethod>, Value<kMethod>>;

template <std::size_t kSize>
consteval bool all_differ(const std::array<std::string_view, kSize>& names) {
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i] == names[j]) return false;
    }
  }
  return true;
}

}  // namespace detail

/// Runs also while another turn of the actor waits. The method is const, and sees the state as
/// that turn left it so far.
template <auto kEntry>
inline constexpr detail::Interleave<kEntry> interleave{};

/// Served to messages: `send` it, `call` refuses it. The method returns void.
template <auto kEntry>
inline constexpr detail::OneWay<kEntry> one_way{};

/// Known under another name than the method's own, to callers, timers and reminders.
template <detail::FixedText kText, auto kEntry>
inline constexpr detail::Named<kText, kEntry> named{};

/// The list of what an actor serves; see the head of this file.
template <auto... kEntries>
struct Methods {
  static_assert(detail::all_differ(std::array<std::string_view, sizeof...(kEntries)>{
                    detail::EntryOf<kEntries>::kName...}),
                "two methods of this list have the same name: use troupe::named for one of them");

  template <auto kMethod>
  static constexpr bool kHas = (... || detail::kIsEntryOf<detail::EntryOf<kEntries>, kMethod>);

  /// Whether a method of the list is only sent.
  template <auto kMethod>
  static constexpr bool kOneWay = (... || (detail::kIsEntryOf<detail::EntryOf<kEntries>, kMethod> &&
                                           detail::EntryOf<kEntries>::kOneWay));

  /// The name under which a method of the list is known.
  template <auto kMethod>
  static consteval std::string_view name() {
    std::string_view name;
    ((detail::kIsEntryOf<detail::EntryOf<kEntries>, kMethod>
          ? void(name = detail::EntryOf<kEntries>::kName)
          : void()),
     ...);
    return name;
  }

  /// Calls `visit.template operator()<Entry>()` for each entry, in order.
  template <class V>
  static void each(V&& visit) {
    (visit.template operator()<detail::EntryOf<kEntries>>(), ...);
  }
};

/// The message of a method, `void` if it takes none.
template <auto kMethod>
using ArgumentOf = typename detail::SignatureOf<kMethod>::Argument;

/// What a method returns in the end.
template <auto kMethod>
using ResultOf = typename detail::SignatureOf<kMethod>::Result;

/// A method that the actor class `A` lists in its `Methods`.
template <auto kMethod, class A>
concept MethodOf = A::Methods::template kHas<kMethod>;

/// A method that its own class lists in its `Methods`.
template <auto kMethod>
concept ListedMethod = MethodOf<kMethod, typename detail::SignatureOf<kMethod>::Class>;

namespace detail {

template <auto kMethod, class A>
consteval void check_callable() {
  static_assert(!A::Methods::template kOneWay<kMethod>,
                "a one-way method has no reply to wait for: send() it");
}

}  // namespace detail

template <auto kMethod>
concept TakesMessage = !std::is_void_v<ArgumentOf<kMethod>>;

}  // namespace troupe
