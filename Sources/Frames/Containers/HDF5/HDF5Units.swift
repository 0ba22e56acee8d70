import Foundation
import Host

/// Units of the numbers beside the images.
enum HDF5Units {
  /// By the last part of a dataset's name, where no attribute tells.
  ///
  /// Sources: lcls-psana psddldata `bld.ddl` (EBeam, gas detector), psocake and cheetah CXI writers.
  private static let known: [String: String] = [
    "ebeamCharge": "nC", "ebeamL3Energy": "MeV", "ebeamLTUPosX": "mm", "ebeamLTUPosY": "mm", "ebeamLTUAngX": "mrad", "ebeamLTUAngY": "mrad",
    "ebeamPkCurrBC2": "A", "ebeamEnergyBC2": "mm", "ebeamPkCurrBC1": "A", "ebeamEnergyBC1": "mm", "ebeamUndPosX": "mm", "ebeamUndPosY": "mm",
    "ebeamUndAngX": "mrad", "ebeamUndAngY": "mrad", "ebeamXTCAVAmpl": "MV", "ebeamXTCAVPhase": "deg", "ebeamDumpCharge": "electrons",
    "ebeamPhotonEnergy": "eV", "ebeamLTU250": "mm", "ebeamLTU450": "mm", "f_11_ENRC": "mJ", "f_12_ENRC": "mJ", "f_21_ENRC": "mJ",
    "f_22_ENRC": "mJ", "f_63_ENRC": "mJ", "f_64_ENRC": "mJ",
  ]

  /// A dataset's path without the first slash, with its unit: that of its attribute `units`, else the one known by name.
  static func name(of dataset: HDF5Dataset, in file: HDF5File) throws(InputError) -> String {
    let name = String(dataset.path.dropFirst())
    if dataset.element == .string { return name }
    if let unit = try file.text("units", of: dataset.path) { return unit.isEmpty ? name : "\(name)_\(unit)" }
    let last = name.split { $0 == "/" || $0 == "." }.last.map(String.init) ?? name
    return known[last].map { "\(name)_\($0)" } ?? name
  }
}

extension HDF5File {
  /// An attribute that is a short text; `nil` where it is absent or something else.
  func text(_ name: String, of object: String) throws(InputError) -> String? {
    guard try attributeNames(of: object).contains(name), case .string(let text)? = try attribute(name, of: object) else { return nil }
    return text.utf8.count <= 32 ? text : nil
  }

  /// The attributes of an object that are single numbers or texts, as `object@name`. Others are counted.
  func fields(of object: String, skipped: inout [String: Int]) throws(InputError) -> HeaderFields {
    var fields = HeaderFields()
    for name in try attributeNames(of: object) {
      let key = "\(object.dropFirst())@\(name)"
      do {
        switch try attribute(name, of: object) {
        case .string(let text): fields.texts[key] = text
        case .integer(let number): fields.scalars[key] = Double(number)
        case .real(let number): fields.scalars[key] = number
        case .strings, .integers, .reals: skipped["attribute \(key) of several values"] = 1
        case nil: break
        }
      } catch {
        // References and structures carry no metadata of an event.
        skipped["attribute \(key)"] = 1
      }
    }
    return fields
  }
}
