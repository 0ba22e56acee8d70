import Frames
import Host
import Tensors

/// Which shot: its identity, where it is stored, and what the beam line recorded beside it.
public struct ShotHeader: Hashable, Sendable {
  public var id: EventID
  /// Position of its file in `RunShots.files`, and of the event in that file.
  public var file: Int, index: Int
  public var scalars: [String: Double]
  public var eventCodes: [Int]
  /// The detector's source, such as `CxiDs1.0:Cspad.0`.
  public var source: String

  /// Mean of the duplicates f_11 and f_12 of the gas detector, mJ; `nil` where the beam line recorded neither.
  public var gasDetectorMJ: Double? {
    let values = ["gasDetector.f_11_ENRC_mJ", "gasDetector.f_12_ENRC_mJ"].compactMap { scalars[$0] }.filter(\.isFinite)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// Charge in the dump, nC; `nil` where it was not recorded.
  public var dumpChargeNC: Double? { scalars["ebeam.DumpCharge_electrons"].flatMap { $0.isFinite && $0 > 0 ? $0 * 1.602176634e-10 : nil } }

  /// The run, which shares references and darks.
  public var run: EventID { EventID(experiment: id.experiment, run: id.run, seconds: 0, nanoseconds: 0) }
}

/// The frames of one detector in recorded runs, calibrated, in the order of the files.
public struct RunShots: Sendable {
  public var files: [String]
  /// A name in `DetectorCatalog`.
  public var detector: String
  /// Only payloads whose source or alias contains this.
  public var source: String?
  /// psana's folder of constants; without one, signal is raw ADU.
  public var calibration: CalibrationFolder?
  public var commonMode: CommonMode
  /// Frames that cannot be decoded give no shot, instead of an error.
  public var passesOverDamage = false

  public init(
    files: [String], detector: String, source: String? = nil, calibration: CalibrationFolder? = nil, commonMode: CommonMode = .none
  ) {
    (self.files, self.detector, self.source, self.calibration, self.commonMode) = (files, detector, source, calibration, commonMode)
  }

  /// One frame on its way: raw counts `[P,R,C]` in ADU and the calibrated frame of the same shape.
  public struct Exposed: Sendable {
    public var shot: ShotHeader
    public var raw: Tensor<Float>
    public var frame: Frame
  }

  /// Every wanted frame: decoded, calibrated and transformed on all processors, taken in order. Returns how many there were.
  ///
  /// Throws where a file is corrupt, the detector is unknown or an event has two payloads of it.
  @discardableResult
  public func forEach<Transformed: Sendable>(
    _ activity: String, progress: ProgressHandler, where isWanted: (ShotHeader) -> Bool,
    transform: @Sendable (Exposed) throws(InputError) -> Transformed, take: (Transformed) throws(InputError) -> Void
  ) throws(InputError) -> Int {
    guard let type = DetectorCatalog.detector(named: detector) else {
      throw InputError(
        path: detector, place: "detector", expected: DetectorCatalog.all.map { $0.name }.joined(separator: ", "), found: detector)
    }
    var constants: [ConstantsKey: CalibrationConstants] = [:], count = 0
    let runs = RunFile.runs(of: files)
    for (number, run) in runs.enumerated() {
      let path = run[0], file = files.firstIndex(of: path)!
      progress(Progress(activity, done: number, total: runs.count, note: path))
      let reader = try RunFile.open(run: run)
      var batch: [Job] = [], bytes = 0
      func develop() throws(InputError) {
        let developed = try batch.concurrentMap { job throws(InputError) -> Transformed? in
          let raw: Tensor<Float>
          do throws(InputError) { raw = try type.decode(job.payload, path: job.path) } catch {
            guard passesOverDamage else { throw error }
            return nil
          }
          return try transform(Exposed(shot: job.shot, raw: raw, frame: try type.calibrate(raw, job.constants, path: job.path)))
        }
        for case let result? in developed {
          try take(result)
          count += 1
        }
        batch.removeAll(keepingCapacity: true)
        bytes = 0
      }
      while let event = try reader.next() {
        guard let payload = try payload(of: event, type, path: path) else { continue }
        let shot = ShotHeader(
          id: event.id, file: file, index: event.index, scalars: event.scalars, eventCodes: event.eventCodes, source: payload.info.source)
        guard isWanted(shot) else { continue }
        let key = ConstantsKey(run: event.id.run, source: payload.info.source)
        // The shape of a frame that can be decoded tells which constants fit.
        if constants[key] == nil, passesOverDamage, type.damage(of: payload, event: event.index, path: path) != nil { continue }
        if constants[key] == nil { constants[key] = try self.constants(for: payload, type, run: event.id.run, path: path) }
        batch.append(Job(shot: shot, payload: payload, constants: constants[key]!, path: path))
        bytes += payload.bytes.count
        if batch.count == 16 || bytes > 64 << 20 { try develop() }
      }
      try develop()
    }
    progress(Progress(activity, done: files.count, total: files.count))
    return count
  }

  private struct ConstantsKey: Hashable { let run: Int, source: String }
  private struct Job: Sendable { let shot: ShotHeader, payload: Payload, constants: CalibrationConstants, path: String }

  private func payload(of event: Event, _ type: any Detector.Type, path: String) throws(InputError) -> Payload? {
    let found = event.payloads.filter { payload in type.recognizes(payload.info) && (source.map { payload.info.isNamed($0) } ?? true) }
    guard found.count <= 1 else {
      throw InputError(
        path: path, place: "event \(event.index)", expected: "one payload of \(detector); narrow it by its source",
        found: found.map(\.info.source).joined(separator: ", "))
    }
    return found.first
  }

  private func constants(
    for payload: Payload, _ type: any Detector.Type, run: Int, path: String
  ) throws(InputError) -> CalibrationConstants {
    guard let calibration else { return CalibrationConstants(commonMode: commonMode) }
    let shape = try type.decode(payload, path: path).shape
    let constants = try calibration.constants(for: payload.info.source, run: run, shape: shape, commonMode: commonMode)
    return try type.adapted(constants, to: payload, path: path)
  }
}
