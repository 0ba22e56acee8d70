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
