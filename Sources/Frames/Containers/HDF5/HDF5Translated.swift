import Foundation
import Host

/// What psana-translate stores beside the images of one source: its `time`, and the beam-line numbers and event codes of other
/// sources of the same scan step, joined by time.
///
/// Layout: `/Configure:0000/Run:0000/CalibCycle:0000/<type>/<source>/{data,image,time,_mask}`; `time` is a structure of seconds,
/// nanoseconds, ticks, fiducials, control, vector. Source: lcls-psana Translator, H5DataTypes/XtcClockTimeStamp,
/// psddl_hdf2psana/evr.
struct HDF5Translated {
  struct Time: Hashable {
    var seconds: UInt32
    var nanoseconds: UInt32
    var fiducial: UInt32
  }

  let times: [Time]
  /// `false` for a row that only fills the place of a missing frame.
  private let isPresent: [Bool]?
  private var scalars: [Time: [String: Double]] = [:]
  private var codes: [Time: [Int]] = [:]

  /// `nil` where no structure `time` stands beside `image`. `paths` are all datasets of the file.
  init?(beside image: HDF5Dataset, in file: HDF5File, paths: [String], skipped: inout [String: Int]) throws(InputError) {
    let group = image.path.folderOfPath
    guard paths.contains("\(group)/time"), let times = try Self.times(of: group, in: file) else { return nil }
    let count = StackLayout.eventCount(image.shape)
    guard times.count == count else {
      throw InputError(path: file.path, place: "\(group)/time", expected: "\(count) times", found: "\(times.count)")
    }
    self.times = times
    isPresent = paths.contains("\(group)/_mask") ? try file.dataset("\(group)/_mask").doubles().map { $0 != 0 } : nil
    // The scan step: everything up to the type and the source.
    let step = group.folderOfPath.folderOfPath
    let sources = Set(paths.filter { $0.hasPrefix(step + "/") && $0.hasSuffix("/time") }.map { $0.folderOfPath })
    for source in sources.sorted() {
      let names = paths.filter { $0.hasPrefix(source + "/") && !$0.dropFirst(source.count + 1).contains("/") }
      for name in names where !["time", "_mask", "_damage"].contains(name.nameInPath) {
        try join(try file.dataset(name), of: source, in: file, skipped: &skipped)
      }
    }
  }

  func isPresent(row: Int) -> Bool { isPresent.map { row >= $0.count || $0[row] } ?? true }
  func scalars(of row: Int) -> [String: Double] { scalars[times[row]] ?? [:] }
  func eventCodes(of row: Int) -> [Int] { codes[times[row]] ?? [] }

  private static func times(of group: String, in file: HDF5File) throws(InputError) -> [Time]? {
    let dataset = try file.dataset("\(group)/time"), members = try dataset.numberMembers()
    guard members.contains("seconds"), members.contains("nanoseconds") else { return nil }
    let columns = try dataset.doubles(members: members.filter { ["seconds", "nanoseconds", "fiducials"].contains($0) })
    guard let seconds = columns["seconds"], let nanoseconds = columns["nanoseconds"] else { return [] }
    func half(_ value: Double, _ row: Int) throws(InputError) -> UInt32 {
      guard let half = UInt32(exactly: value) else {
        throw InputError(path: file.path, place: "\(group)/time, row \(row)", expected: "0 to 2^32 - 1", found: "\(value)")
      }
      return half
    }
    return try seconds.indices.map { row throws(InputError) in
      Time(
        seconds: try half(seconds[row], row), nanoseconds: try half(nanoseconds[row], row),
        fiducial: try half(columns["fiducials"]?[row] ?? 0, row))
    }
  }

  /// Adds what one dataset of another source says about the same shots.
  private mutating func join(_ dataset: HDF5Dataset, of source: String, in file: HDF5File, skipped: inout [String: Int]) throws(InputError) {
    guard dataset.element == .other, dataset.shape.rank == 1 else { return }
    let type = source.folderOfPath.nameInPath
    guard let shots = try Self.times(of: source, in: file), shots.count == dataset.shape[0] else {
      skipped["dataset \(dataset.path)"] = 1
      return
    }
    if type.hasPrefix("EvrData::DataV") {
      for (shot, events) in zip(shots, try dataset.integers(of: "eventCode", inList: "fifoEvents")) { codes[shot] = events }
      return
    }
    let columns = try dataset.doubles(members: try dataset.numberMembers())
    for (member, values) in columns {
      guard let name = Self.name(of: member, type: type, source: source.nameInPath) else { continue }
      // Bit i of the damage mask stands for field i of EBeam.
      let field = name.hasPrefix("ebeam.") ? XTC1Scalars.eBeamFields.firstIndex(of: String(name.dropFirst(6))) : nil
      for (row, shot) in shots.enumerated() {
        if let field, let mask = columns["uDamageMask"]?[row], let bits = UInt64(exactly: mask), bits >> UInt64(field) & 1 == 1 {
          skipped["\(name) marked as damaged", default: 0] += 1
          continue
        }
        scalars[shot, default: [:]][name] = values[row]
      }
    }
  }

  private static let timeTool = [
    "amplitude": "amplitude", "position_pixel": "position_px", "position_time": "position_ps", "position_fwhm": "fwhm_px",
    "ref_amplitude": "referenceAmplitude", "nxt_amplitude": "nextAmplitude",
  ]

  /// As the same number is called when it is read from XTC1, with its unit.
  private static func name(of member: String, type: String, source: String) -> String? {
    if type.hasPrefix("Bld::BldDataEBeam") {
      let stem = member.replacing("fEbeam", with: "").replacing("ebeam", with: "").lowercased()
      return XTC1Scalars.eBeamFields.first { $0.lowercased().prefix { $0 != "_" } == stem }.map { "ebeam.\($0)" }
    }
    if type.hasPrefix("Bld::BldDataFEEGasDetEnergy") { return "gasDetector.\(member)_mJ" }
    if type.hasPrefix("TimeTool::DataV") { return timeTool[member].map { "\(source)/timeTool.\($0)" } }
    return "\(source).\(member)"
  }
}
