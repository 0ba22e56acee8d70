import Foundation
import Frames
import Host
import Synchronization
import Tensors

/// Develops units: raw counts to packed pictures with their records. The same unit gives the same bytes in any order, on any core.
struct Darkroom: Sendable {
  private let recipe: CorpusRecipe
  private let survey: Survey
  private let shelf = CalibrationShelf()
  private let weights = WeightPacking()

  init(_ recipe: CorpusRecipe, _ survey: Survey) { (self.recipe, self.survey) = (recipe, survey) }

  /// What one unit became.
  struct Developed: Sendable {
    let job: UnitFeed.Job
    var pictures: [PackedPicture] = []
    /// Pictures below the recipe's coverage.
    var refused = 0
    /// Why there are none: the first record of the unit that cannot be decoded.
    var damage: EventDamage?
    /// The geometries that the records name.
    var geometries: [String: DetectorCoordinates] = [:]
  }

  /// What each unit became, in order. Neighbours that share camera, constants and geometry take the first steps together. A record that
  /// cannot be decoded is damage, for the recipe to allow; every other fault is a failure.
  func developed(_ jobs: [UnitFeed.Job]) -> [Result<Developed, InputError>] {
    let filled = jobs.map { job in Result { () throws(InputError) in try UnitFeed.filled(job, survey) } }
    let exposures = filled.map { $0.flatMap { job in Result { () throws(InputError) in try exposure(of: job) } } }
    let starts = Darkroom.begun(exposures)
    return filled.indices.map { i in
      filled[i].flatMap { job in
        Result { () throws(InputError) in try developed(job, try exposures[i].get(), starts[i]) }
          .flatMapError { error in damage(of: job, error).map { .success(Developed(job: job.emptied, damage: $0)) } ?? .failure(error) }
      }
    }
  }

  /// The first steps of those exposures that have a short way, neighbours with the same one together.
  private static func begun(_ exposures: [Result<Exposure, InputError>]) -> [PanelwiseDevelopment.Picture?] {
    var pictures: [PanelwiseDevelopment.Picture?] = []
    while pictures.count < exposures.count {
      guard case .success(let first) = exposures[pictures.count], let way = first.panelwise else {
        pictures.append(nil)
        continue
      }
      var payloads: [Payload] = []
      for exposed in exposures[pictures.count...] {
        guard case .success(let exposure) = exposed, exposure.panelwise === way, exposure.path == first.path else { break }
        payloads.append(exposure.payloads[0])
      }
      pictures += way.pictures(of: payloads, path: first.path)
    }
    return pictures
  }

  private func damage(of job: UnitFeed.Job, _ error: InputError) -> EventDamage? {
    guard error.kind == .malformed, let detector = job.detector else { return nil }
    let path = survey.sources[job.source].files[job.file].raw.match.path
    for (payload, event) in zip(job.payloads, job.events) {
      if let damage = detector.damage(of: payload, event: event, path: path) { return damage }
    }
    return nil
  }

  private func exposure(of job: UnitFeed.Job) throws(InputError) -> Exposure {
    let source = survey.sources[job.source], path = source.files[job.file].raw.match.path
    guard let payload = job.payloads.last, let detector = job.detector else { preconditionFailure("a unit without a payload") }
    let key = CalibrationShelf.Key(source: job.source, run: job.unit.stored.recordedRun, payload: payload.info.source)
    // Two cores that begin a run at once shall each make one of both, and not one wait for the other.
    if job.index % 2 == 1 { _ = try shelf.placement(for: payload, of: source.opened, key) }
    let constants = try shelf.constants(for: payload, detector, of: source.opened, key, path: path)
    let placement = try shelf.placement(for: payload, of: source.opened, key)
    return Exposure(
      payloads: job.payloads, detector: detector, constants: constants, placement: placement,
      panelwise: try shelf.panelwise(detector, constants, placement, source.opened.recipe, key, path: path), path: path,
      place: "event \(job.events[0])")
  }

  private func developed(
    _ job: UnitFeed.Job, _ exposure: Exposure, _ begun: PanelwiseDevelopment.Picture?
  ) throws(InputError) -> Developed {
    var developed = Developed(job: job.emptied)
    for picture in try exposure.pictures(survey.sources[job.source].opened.optics, begun: begun) {
      guard let packed = try packed(picture, of: job, exposure) else {
        developed.refused += 1
        continue
      }
      developed.pictures.append(packed)
      if let coordinates = exposure.placement?.coordinates[packed.record.geometry] {
        developed.geometries[packed.record.geometry] = coordinates
      }
    }
    return developed
  }

  /// `nil` for a picture that the recipe refuses.
  private func packed(_ picture: Exposure.Picture, of job: UnitFeed.Job, _ exposure: Exposure) throws(InputError) -> PackedPicture? {
    let source = survey.sources[job.source], name = source.opened.recipe.name, file = source.files[job.file]
    let weight = weights.packed(picture.image), coverage = weight.coverage
    guard coverage >= recipe.minimumCoverage, coverage > 0 else {
      guard recipe.minimumCoverage > 0 else {
        throw InputError(
          path: exposure.path, place: exposure.place, expected: "at least one measured pixel (or a minimumCoverage)",
          found: "a picture that the mask hides everywhere")
      }
      return nil
    }
    let key = "\(name)|\(file.raw.match.name)|\(file.checksum)|\(job.events[0])|\(picture.panel)"
    let record = Record(
      id: String(Checksum.sha256(Data(key.utf8)).prefix(16)), split: job.unit.split, source: name,
      detector: source.detectors.all[Int(job.unit.stored.detector)], event: source.id(of: job.unit), file: file.raw.match.name,
      fileChecksum: file.checksum, eventIndex: job.events[0], panel: picture.panel, coverage: coverage, unit: picture.unit,
      calibration: exposure.constants.digest, darkSet: exposure.constants.darkSet,
      geometry: exposure.placement?.digest(panel: picture.panel) ?? "", saturation: picture.saturation,
      labels: source.labelSets[Int(job.unit.stored.labels)], shard: "", row: 0)
    let steps = source.opened.optics.transforms(
      detector: record.detector, unit: record.unit, calibration: record.calibration, geometry: record.geometry)
    return PackedPicture(
      record: record, transforms: String(decoding: try CanonicalJSON.data(steps, pretty: false), as: UTF8.self),
      image: HDF5PackedRow(picture.image.pixels.elements), weight: weight.row)
  }
}

/// The weights of a picture as they are stored. While masks stay the same, so do weights: the last ones are kept.
private final class WeightPacking: Sendable {
  struct Packed: Sendable {
    fileprivate var weight: [Float]
    var row: HDF5PackedRow
    /// The measured share of the picture.
    var coverage: Double
  }

  private let last = Mutex<Packed?>(nil)

  func packed(_ image: MaskedImage) -> Packed {
    if let known = last.withLock({ $0 }), known.weight == image.weight.elements { return known }
    let weight = image.weight.elements
    let new = Packed(weight: weight, row: HDF5PackedRow(weight.map(Shard.byte(of:))), coverage: image.coverage)
    last.withLock { $0 = new }
    return new
  }
}

extension UnitFeed.Job {
  /// The job without its payloads.
  var emptied: UnitFeed.Job {
    var job = self
    job.payloads = []
    return job
  }
}
