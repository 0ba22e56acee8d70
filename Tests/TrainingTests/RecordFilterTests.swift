import Corpora
import Foundation
import Testing
import Training

/// A record with these labels, as its stored form has it.
private func record(_ labels: [String: String]) throws -> Record {
  let fields = labels.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ")
  let json = """
    {"id": "0", "split": "train", "source": "s", "detector": "picture", "file": "f", "fileChecksum": "", "eventIndex": 0, "panel": -1,
     "event": {"experiment": "e", "run": 1, "seconds": 0, "nanoseconds": 0, "fiducial": 0}, "coverage": 1, "unit": "ADU",
     "calibration": "", "darkSet": "", "saturation": 0, "geometry": "", "labels": {\(fields)}, "shard": "", "row": 0}
    """
  return try JSONDecoder().decode(Record.self, from: Data(json.utf8))
}

@Test func aFilterNeedsWhatItIncludesAndRefusesWhatItExcludes() throws {
  let filter = RecordFilter(include: ["kind": ["cspad", "xtcav"]], exclude: ["beam": ["dark"]])
  #expect(try filter.accepts(record(["kind": "cspad", "beam": "on"])))
  #expect(try filter.accepts(record(["kind": "xtcav"])))
  #expect(try !filter.accepts(record(["kind": "timetool", "beam": "on"])))
  #expect(try !filter.accepts(record(["beam": "on"])))
  #expect(try !filter.accepts(record(["kind": "cspad", "beam": "dark"])))
}

/// What dark-frame controls need: dark frames again, but of nothing else that the run left out.
@Test func ignoringALabelKeepsTheRestOfAFilter() throws {
  let filter = RecordFilter(include: ["beam": ["on"]], exclude: ["kind": ["timetool"], "beam": ["dark"]]).ignoring("beam")
  #expect(try filter.accepts(record(["kind": "cspad", "beam": "dark"])))
  #expect(try !filter.accepts(record(["kind": "timetool", "beam": "dark"])))
}
