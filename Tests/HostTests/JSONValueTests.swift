import Foundation
import Host
import Testing

private func value(_ text: String) throws -> JSONValue { try CanonicalJSON.value(JSONValue.self, from: Data(text.utf8), path: "p") }

@Test(arguments: [#"{"a":[1,2.5,"x",null,true],"b":{}}"#, "[]", #"{"":-3}"#]) func everyValueKeepsItsTypeOnTheWayThroughJSON(text: String) throws {
  #expect(try String(decoding: CanonicalJSON.data(value(text), pretty: false), as: UTF8.self) == text)
}

@Test func settingsAreLaidOverDefaultsAtEveryDepth() throws {
  let usual = try value(#"{"a":1,"b":{"c":2,"d":3}}"#)
  #expect(try usual.overlaid(with: value(#"{"b":{"d":4}}"#), path: "p", place: "") == value(#"{"a":1,"b":{"c":2,"d":4}}"#))
  do {
    _ = try usual.overlaid(with: value(#"{"b":{"e":4}}"#), path: "p", place: "top")
    Issue.record("an unknown key was taken")
  } catch {
    let error = try #require(error as? InputError)
    #expect(error.description == #"p: top.b.e: expected one of the keys c, d, found unknown key "e""#)
  }
}

private struct Counted: Decodable {
  var count: Int
  var share: Double
  var parts: [Part]?
  struct Part: Decodable {
    var seed: UInt64
    var byte: UInt8?
  }
}

/// A decoder says that some number is wrong, and not which.
@Test(arguments: [
  (#"{"count":1.5,"share":0.5}"#, "p: top.count: expected a whole number, found 1.5"),
  (#"{"count":3,"share":0.5,"parts":[{"seed":1},{"seed":-2}]}"#, "p: top.parts.[1].seed: expected 0 or more, found -2"),
  (#"{"count":3,"share":1.5,"parts":[{"seed":2.25}]}"#, "p: top.parts.[0].seed: expected a whole number, found 2.25"),
  (#"{"count":3,"share":1.5,"parts":[{"seed":1,"byte":300}]}"#, "p: top.parts.[0].byte: expected a number of less size, found 300"),
  (#"{"count":1e300,"share":0.5}"#, "p: top.count: expected a whole number of less size, found 1e+300"),
  (#"{"count":1.5,"share":0.5,"parts":[{"seed":-1}]}"#, "p: top.count: expected a whole number, found 1.5"),
])
func aNumberThatDoesNotFitIsNamed(text: String, expected: String) throws {
  do {
    _ = try value(text).decoded(as: Counted.self, path: "p", place: "top")
    Issue.record("it was taken")
  } catch { #expect((error as? InputError)?.description == expected) }
}

@Test func numbersThatFitAreTaken() throws {
  let counted = try value(#"{"count":2.0,"share":3,"parts":[{"seed":7,"byte":255}]}"#)
    .decoded(as: Counted.self, path: "p", place: "")
  #expect(counted.count == 2 && counted.share == 3 && counted.parts?[0].byte == 255)
}

@Test func theFirstDifferenceIsNamed() throws {
  let one = try value(#"{"a": {"b": [1, {"c": "x"}]}, "d": 2}"#)
  #expect(try one.firstDifference(from: one) == nil)
  let other = try #require(try one.firstDifference(from: value(#"{"a": {"b": [1, {"c": "y"}]}, "d": 3}"#)))
  #expect(other == (place: "a.b", own: #"[1,{"c":"x"}]"#, other: #"[1,{"c":"y"}]"#))
  #expect(try one.firstDifference(from: value(#"{"a": {"b": [1, {"c": "x"}]}}"#))! == (place: "d", own: "2", other: "no such key"))
}
