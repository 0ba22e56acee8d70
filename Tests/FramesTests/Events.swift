import Foundation
import Frames
import Host
import TestSupport

extension Scratch {
  func file(_ name: String) -> String { self(name) }
}

/// All events of a reader.
func events(_ reader: any EventReader) throws(InputError) -> [Event] {
  var events: [Event] = []
  while let event = try reader.next() { events.append(event) }
  return events
}
