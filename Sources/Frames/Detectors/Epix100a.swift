import Host
import Tensors

/// The ePix100a pixel detector: one panel of 704 × 768 pixels of 50 µm, 14 bits. Signal: keV once a gain is given.
///
/// Reads the LCLS-I record `EpixElement` v2, v3 of a source `…:Epix100a.n`, whose size stands in `Epix100aConfig` v1, v2, and
/// arrays of u16 `[n,704,768]`, of a detector called ePix also `[704,768]`. Calibration and environment rows behind the pixels are left out.
/// Source: psddldata epix.ddl.
public struct Epix100a: Detector {
  public static let name = "epix100a"
  public static let chips = (down: 2, across: 2)

  public static func recognizes(_ info: PayloadInfo) -> Bool {
    info.typeName == "EpixElement"
      ? (2...3).contains(info.version) && info.source.contains(":Epix100a.")
      : EpixRecord.panels(info, of: [704, 768]) != nil
  }

  public static func decode(_ payload: Payload, path: String) throws(InputError) -> Tensor<Float> {
    try EpixRecord.decode(payload, panel: [704, 768], path: path)
  }

  /// 14 bits.
  public static func fullScale(of payload: Payload) -> Float? { 16383 }

  public static func calibrate(
    _ raw: Tensor<Float>, _ constants: CalibrationConstants, path: String
  ) throws(InputError) -> Frame {
    guard raw.shape.rank == 3 else {
      throw InputError(path: path, place: name, expected: "[panels×rows×columns] counts", found: "\(raw.shape)")
    }
    return try Calibration.apply(raw, constants, gainUnit: .keV, path: path)
  }
}

/// What the ePix cameras of LCLS-I share: `EpixElement` v1...v3 and `Epix10kaArray` v1.
enum EpixRecord {
  /// How many panels an array `[n,rows,columns]` with n ≤ 32 holds, where the panels are of that size; `[rows,columns]` only of a
  /// detector that is called an ePix: it may as well be a picture.
  static func panels(_ info: PayloadInfo, of panel: [Int]) -> Int? {
    let e = info.shape.extents
    guard info.element == .uint16, Array(e.suffix(2)) == panel else { return nil }
    if e.count == 2 { return info.typeName.lowercased().hasPrefix("epix") ? 1 : nil }
    return e.count == 3 && (1...32).contains(e[0]) ? e[0] : nil
  }

  /// `[panels, rows, columns]`, gain bits in place.
  static func decode(_ payload: Payload, panel: [Int], path: String) throws(InputError) -> Tensor<Float> {
    let info = payload.info
    if info.typeName == "EpixElement" || info.typeName == "Epix10kaArray" {
      let record = BinaryRecord(payload, path: path)
      let layout = try EpixLayout(payload, path)
      return Tensor(layout.shape, try record.uint16s(at: layout.header, count: layout.shape.count))
    }
    guard let count = panels(info, of: panel) else {
      throw InputError(path: path, place: info.source, expected: "an ePix record or u16 panels", found: "\(info.element) \(info.shape)")
    }
    return Tensor([count] + Shape(panel), try NumericArray.decode(payload, path: path))
  }
}

/// Where the pixels stand in an ePix record, by the configuration of its camera.
private struct EpixLayout {
  let header: Int
  let shape: Shape

  init(_ payload: Payload, _ path: String) throws(InputError) {
    let record = BinaryRecord(payload, path: path)
    guard let stored = payload.configuration else {
      throw record.error(at: 0, "the configuration of this ePix in the run's Configure", "none")
    }
    let configuration = BinaryRecord(stored, path: path)
    let isArray = payload.info.typeName == "Epix10kaArray"
    /// Where the numbers of ASICs a row and a column, of rows and of pixels a row of an ASIC stand.
    let places: [Int]
    switch (stored.typeName, stored.version) {
    case ("Epix10ka2MConfig", 1...2) where isArray:
      (header, shape) = (4, [16, 352, 384])
      return
    case ("Epix10kaQuadConfig", 1...2) where isArray:
      (header, shape) = (4, [4, 352, 384])
      return
    case ("EpixConfig", 1) where !isArray: places = [88, 92, 96, 100, 84]
    case ("Epix10kConfig", 1) where !isArray: places = [96, 100, 104, 108, 92]
    // The readable rows stand behind all rows.
    case ("Epix100aConfig", 1) where !isArray: places = [92, 96, 104, 108]
    case ("Epix100aConfig", 2) where !isArray, ("Epix10kaConfig", 1...2) where !isArray: places = [128, 132, 140, 144]
    case ("EpixSConfig", 1) where !isArray: places = [100, 104, 112, 116]
    default: throw configuration.error(at: 0, "the configuration of \(payload.info.typeName)", "\(stored.typeName) v\(stored.version)")
    }
    var numbers: [Int] = []
    for place in places { numbers.append(try configuration.size(place)) }
    let (across, down, asicRows, asicColumns) = (numbers[0], numbers[1], numbers[2], numbers[3])
    guard (1...16).contains(across), (1...16).contains(down), (1...4096).contains(asicRows), (1...4096).contains(asicColumns) else {
      throw configuration.error(at: places[0], "1...16 ASICs of at most 4096 × 4096 pixels each way", "\(numbers)")
    }
    // The first ePix count their last rows as excluded.
    let excluded = numbers.count > 4 ? numbers[4] : 0
    guard excluded < down * asicRows else { throw configuration.error(at: places[4], "fewer excluded rows than rows", "\(excluded)") }
    (header, shape) = (32, [1, down * asicRows - excluded, across * asicColumns])
  }
}
